#!/usr/bin/env bash
# Installs a real Triton server (CPU) without container or root, for tests and for trying things out.
#
#   install.sh [DIR]    default: $HARMONICA_TRITON, else ${XDG_CACHE_HOME:-~/.cache}/harmonica/triton-VERSION
#
# Prints what serve.sh needs, as NAME=VALUE lines. Run again, it does only what is missing.
set -euo pipefail

version=2.51.0 # release 24.10, as carried by nvidia-pytriton 0.7.0
packages=(
  nvidia-pytriton==0.7.0
  onnxruntime==1.23.2 # gives the numbers of the embedded runtime, 1.26.0, to the bit
  'numpy==1.26.4; python_version < "3.13"' # the server's Python stub was built against numpy 1
  'numpy==2.2.6; python_version >= "3.13"'
)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${1:-${HARMONICA_TRITON:-${XDG_CACHE_HOME:-$HOME/.cache}/harmonica/triton-$version}}

fail() {
  echo "error: $*" >&2
  exit 1
}

[[ $(uname -sm) == "Linux x86_64" ]] || fail "Triton's wheel is for Linux x86_64, this is $(uname -sm)"
python=${PYTHON:-python3}
python_version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
  fail "no Python at '$python': install Python 3.10 to 3.13, or name one by PYTHON=..."
[[ $python_version =~ ^3\.1[0-3]$ ]] ||
  fail "'$python' is Python $python_version: name one of 3.10 to 3.13 by PYTHON=..."

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
exec 9>"$dir/lock"
flock 9 # one install at a time; the others wait, and find it done

venv=$dir/venv
backends=$dir/backends
wanted="python $python_version ${packages[*]}"
if [[ ! -f $dir/installed || $(<"$dir/installed") != "$wanted" ]]; then
  rm -rf "$dir/installed" "$venv" "$backends" # what an interrupted or older install left
  echo "installing Triton $version into $dir" >&2
  "$python" -m venv "$venv" >&2 || fail "'$python -m venv' failed: install Python's venv module"
  "$venv/bin/pip" install -q --disable-pip-version-check "${packages[@]:1}" >&2
  # Without dependencies: the server needs none of pytriton's own.
  "$venv/bin/pip" install -q --disable-pip-version-check --no-deps "${packages[0]}" >&2
  # The backends: Triton's python one, and onnxruntime as a backend written in Python.
  triton=$(echo "$venv"/lib/python*/site-packages/pytriton/tritonserver)
  mkdir -p "$backends/onnxruntime"
  cp -r "$triton/backends/python" "$backends/"
  cp "$triton/python_backend_stubs/$python_version/triton_python_backend_stub" "$backends/python/"
  echo "$wanted" >"$dir/installed"
fi

site=$(echo "$venv"/lib/python*/site-packages)
libdir=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
library_path=$site/nvidia_pytriton.libs:$libdir
stub=$backends/python/triton_python_backend_stub
missing=$(LD_LIBRARY_PATH=$library_path ldd "$stub" | awk '/not found/ {print $1}' | paste -sd' ')
[[ -z $missing ]] ||
  fail "Triton's Python backend lacks $missing: install your system's package of it, or name a Python with shared library by PYTHON=..."

model=$backends/onnxruntime/model.py
if ! cmp -s "$here/onnxruntime/model.py" "$model"; then
  cp "$here/onnxruntime/model.py" "$model.new"
  mv "$model.new" "$model" # at once: a server may be reading it
fi

echo "tritonserver=$site/pytriton/tritonserver/bin/tritonserver"
echo "backends=$backends"
echo "bin=$venv/bin"
echo "library_path=$library_path"
