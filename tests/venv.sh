#!/usr/bin/env bash
# Makes an environment of pinned Python packages in the user's cache, once, and prints its python.
#
#   venv.sh NAME PACKAGE...    below $HARMONICA_TRITON, else ${XDG_CACHE_HOME:-~/.cache}/harmonica
#
# Without dependencies: each package is named by its caller. PYTHON=... is the Python to make it of.
set -euo pipefail

dir=${HARMONICA_TRITON:-${XDG_CACHE_HOME:-$HOME/.cache}/harmonica}/$1
venv=$dir/venv
packages=("${@:2}")

mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9 # one install at a time; the others wait, and find it done
wanted="$("${PYTHON:-python3}" -V) ${packages[*]}"
if [[ ! -f $venv/installed || $(<"$venv/installed") != "$wanted" ]]; then
  rm -rf "$venv" # what an interrupted or older install left
  echo "installing ${packages[0]} into $venv" >&2
  "${PYTHON:-python3}" -m venv "$venv" >&2
  "$venv/bin/pip" install -q --disable-pip-version-check --no-deps --only-binary :all: "${packages[@]}" >&2
  echo "$wanted" >"$venv/installed"
fi
echo "$venv/bin/python"
