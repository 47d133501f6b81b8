#!/usr/bin/env bash
# Serves a model repository with a real Triton server in the foreground (Ctrl-C stops it).
#
#   serve.sh REPOSITORY [GRPC_PORT [HTTP_PORT [METRICS_PORT]]] [-- TRITONSERVER_FLAG...]
#
# Ports default to Triton's own: 8001, 8000, 8002. Installs the server first (install.sh).
set -euo pipefail

usage() {
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

repository=${1:-}
[[ -n $repository && $repository != --* ]] || usage
[[ -d $repository ]] || {
  echo "error: no model repository at '$repository'" >&2
  exit 1
}
shift
ports=()
while (($#)) && [[ $1 =~ ^[0-9]+$ ]]; do
  ports+=("$1")
  shift
done
(($# == 0)) || [[ $1 == -- ]] || usage

paths=$("$(dirname "$0")/install.sh")
value() { sed -n "s/^$1=//p" <<<"$paths"; }

control=(--model-control-mode=explicit --load-model='*')
[[ " ${*:2} " != *" --model-control-mode="* ]] || control=()

export PATH="$(value bin):$PATH" # the Python backend's stub finds its packages by the python on PATH
export LD_LIBRARY_PATH="$(value library_path)"
exec "$(value tritonserver)" \
  --model-repository="$repository" --backend-directory="$(value backends)" \
  "${control[@]}" \
  --grpc-port="${ports[0]:-8001}" --http-port="${ports[1]:-8000}" --metrics-port="${ports[2]:-8002}" \
  "${@:2}"
