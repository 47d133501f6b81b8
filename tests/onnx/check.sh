#!/usr/bin/env bash
# Loads every engine below a folder with Python's package onnx and has its checker look at it. Installs the package first.
# With another repository: one uncached step of its model against the same of the first, by that package's reference implementation.
#
#   check.sh REPOSITORY
#   check.sh REPOSITORY OTHER MODEL
set -euo pipefail

packages=(
  onnx==1.23.2 # from 1.21 on it refuses data files that are links, or outside of the model's folder
  ml_dtypes==0.6.0
  protobuf==7.36.2
  typing_extensions==4.16.0
  'numpy==2.2.6' # the last one for Python 3.10
)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$("$here/../venv.sh" onnx "${packages[@]}")
script=check.py
[[ $# == 1 ]] || script=one_step.py
exec "$python" "$here/$script" "$@"
