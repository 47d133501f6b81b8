#!/usr/bin/env bash
# Compiles every kind of engine below a folder with TensorRT's importer and compiler, ahead of time, on a machine without a GPU.
# Installs TensorRT-RTX first, 245 MB from PyPI. Exits with 1 where one does not compile, with 77 where there is no such package.
#
#   check.sh FOLDER    repositories that harmonica-export --platform tensorrt or --accelerator tensorrt wrote
#
# What it proves: TensorRT reads our graphs, takes their types as stated and the profiles of their configurations, and
# has kernels for all of it. What not: that a plan computes the right numbers, or how fast. These plans are
# TensorRT-RTX's, which Triton does not load; export/build-engines.sh builds Triton's, where there is a GPU.
set -euo pipefail

version=1.7.1.116 # reads ONNX as TensorRT 11 does
packages=(
  "tensorrt-rtx-cu12-bindings==$version"
  "tensorrt-rtx-cu12-libs==$version"
)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

skip() {
  echo "skipped: $1" >&2
  exit 77
}

[[ $(uname -sm) == "Linux x86_64" ]] || skip "TensorRT-RTX's package is for Linux x86_64, this is $(uname -sm)"
python_version=$("${PYTHON:-python3}" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
  skip "no Python at '${PYTHON:-python3}'"
[[ $python_version =~ ^3\.1[0-3]$ ]] || skip "TensorRT-RTX's package is for Python 3.10 to 3.13, this is $python_version"
python=$("$here/../venv.sh" tensorrt "${packages[@]}")
exec "$python" "$here/compile.py" "$@"
