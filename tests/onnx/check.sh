#!/usr/bin/env bash
# Loads every engine below a folder with Python's package onnx and has its checker look at it. Installs the package first.
#
#   check.sh REPOSITORY
set -euo pipefail

packages=(
  onnx==1.23.2 # from 1.21 on it refuses data files that are links, or outside of the model's folder
  ml_dtypes==0.6.0
  protobuf==7.36.2
  typing_extensions==4.16.0
  'numpy==2.2.6' # the last one for Python 3.10
)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${HARMONICA_TRITON:-${XDG_CACHE_HOME:-$HOME/.cache}/harmonica}/onnx
venv=$dir/venv

mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9 # one install at a time; the others wait, and find it done
wanted="$("${PYTHON:-python3}" -V) ${packages[*]}"
if [[ ! -f $venv/installed || $(<"$venv/installed") != "$wanted" ]]; then
  rm -rf "$venv" # what an interrupted or older install left
  echo "installing package onnx into $venv" >&2
  "${PYTHON:-python3}" -m venv "$venv" >&2
  "$venv/bin/pip" install -q --disable-pip-version-check --no-deps --only-binary :all: "${packages[@]}" >&2
  echo "$wanted" >"$venv/installed"
fi
flock -u 9

exec "$venv/bin/python" "$here/check.py" "$@" 9>&-
