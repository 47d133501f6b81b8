#!/usr/bin/env bash
# Runs plain_client.py with Triton's own Python client, which it first installs beside the server.
#
#   client.sh ARGUMENT...    those of plain_client.py
set -euo pipefail

packages=(
  tritonclient==2.51.0 # of the release that install.sh installs
  grpcio==1.85.1
  typing_extensions==4.16.0
  packaging==26.3
  protobuf==4.25.9 # the client's messages were generated for 4
  python-rapidjson==1.25
  urllib3==2.8.0
  'numpy==1.26.4; python_version < "3.13"'
  'numpy==2.2.6; python_version >= "3.13"' # the client asks for numpy 1, which 3.13 has not; it works with 2
)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${HARMONICA_TRITON:-${XDG_CACHE_HOME:-$HOME/.cache}/harmonica/triton-2.51.0}
venv=$dir/client

mkdir -p "$dir"
exec 9>"$dir/client.lock"
flock 9 # one install at a time; the others wait, and find it done
wanted="$("${PYTHON:-python3}" -V) ${packages[*]}"
if [[ ! -f $venv/installed || $(<"$venv/installed") != "$wanted" ]]; then
  rm -rf "$venv" # what an interrupted or older install left
  echo "installing Triton's Python client into $venv" >&2
  "${PYTHON:-python3}" -m venv "$venv" >&2
  "$venv/bin/pip" install -q --disable-pip-version-check --no-deps --only-binary :all: "${packages[@]}" >&2
  echo "$wanted" >"$venv/installed"
fi
flock -u 9

exec "$venv/bin/python" "$here/plain_client.py" "$@" 9>&-
