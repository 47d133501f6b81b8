#!/usr/bin/env bash
# Runs a script of this folder with Triton's own Python client, which it first installs beside the server.
#
#   client.sh SCRIPT ARGUMENT...    plain_client.py, for example, and its arguments
set -euo pipefail

packages=(
  tritonclient==2.51.0 # of the release that install.sh installs
  grpcio==1.85.1
  typing_extensions==4.16.0
  packaging==26.3
  protobuf==4.25.9 # the client's messages were generated for 4
  python-rapidjson==1.25
  urllib3==2.8.0
  geventhttpclient==2.6.1 # HTTP's, with what it needs
  gevent==26.9.0
  greenlet==3.5.6
  zope.event==6.2
  zope.interface==8.7
  brotli==1.2.1
  certifi==2026.10.19.post1
  'numpy==1.26.4; python_version < "3.13"'
  'numpy==2.2.6; python_version >= "3.13"' # the client asks for numpy 1, which 3.13 has not; it works with 2
)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${HARMONICA_TRITON:-${XDG_CACHE_HOME:-$HOME/.cache}/harmonica/triton-2.51.0}
wanted="$("${PYTHON:-python3}" -V) ${packages[*]}"
venv=$dir/client-$(cksum <<<"$wanted" | cut -d' ' -f1) # checkouts with other packages have their own

mkdir -p "$dir"
exec 9>"$dir/client.lock"
flock 9 # one install at a time; the others wait, and find it done
if [[ ! -f $venv/installed ]]; then
  rm -rf "$venv" # what an interrupted install left
  echo "installing Triton's Python client into $venv" >&2
  "${PYTHON:-python3}" -m venv "$venv" >&2
  "$venv/bin/pip" install -q --disable-pip-version-check --no-deps --only-binary :all: "${packages[@]}" >&2
  touch "$venv/installed"
fi
flock -u 9

exec "$venv/bin/python" "$here/$1" "${@:2}" 9>&-
