#!/usr/bin/env bash
# Builds the TensorRT plans of a repository that `harmonica-export --platform tensorrt` wrote: one
# for each engine, with the batch profiles that its configuration states. Run it where the plans
# will serve: a plan fits one GPU model and one TensorRT version (10 or 11).
#
#   export/build-engines.sh REPOSITORY [-- TRTEXEC_FLAG...]
#
# trtexec is $TRTEXEC, or on PATH, or where NVIDIA's containers have it. A plan that is newer than
# its model.onnx stays, so an interrupted run goes on where it was; delete plans to build them anew,
# as after a change of the flags. `-- --timingCacheFile=/tmp/timing` spares measuring kernels again
# for blocks that are alike. Precision is no flag: the graphs state it (harmonica-export --precision).
set -euo pipefail

fail() {
  echo "error: $1" >&2
  exit "${2:-1}"
}

usage="usage: export/build-engines.sh REPOSITORY [-- TRTEXEC_FLAG...]"
[[ $# -ge 1 && $1 != -* ]] || fail "missing REPOSITORY; $usage" 2
repository=${1%/}
shift
if [[ $# -gt 0 ]]; then
  [[ $1 == -- ]] || fail "unexpected argument '$1'; $usage" 2
  shift
fi
[[ -d $repository ]] || fail "$repository is no folder, expected a model repository"

trtexec=${TRTEXEC:-$(command -v trtexec || echo /usr/src/tensorrt/bin/trtexec)}
[[ -x $(command -v "$trtexec" || true) ]] ||
  fail "no trtexec at $trtexec: install TensorRT 10 or 11, or set TRTEXEC to its trtexec"

# The graph states each type, fp16 where it was exported so, and TensorRT has to keep to it. TensorRT 10
# does when it is told; for 11 nothing else exists, so a coming version may drop the flag. What takes
# --fp16 and not this flag is older than 10, and would choose types by itself.
help=$("$trtexec" --help 2>&1 || true)
typed=()
if [[ $help == *--stronglyTyped* ]]; then
  typed=(--stronglyTyped)
elif [[ $help == *"--fp16 "* ]]; then
  fail "$trtexec is of a TensorRT before 10, which does not keep to the graphs' types: set TRTEXEC to one of 10 or 11"
elif [[ $help != *--saveEngine* ]]; then
  fail "$trtexec --help does not tell its options, as trtexec does: set TRTEXEC to TensorRT's trtexec"
fi

# The value of the parameter "trtexec" of a config.pbtxt: shapes of a profile; else nothing.
profile() {
  awk '/key: *"trtexec"/ { found = 1 }
    found && sub(/.*string_value: *"/, "") { sub(/".*/, ""); print; exit }' "$1"
}

engines=()
for config in "$repository"/*/config.pbtxt; do
  if [[ -f $config && -n $(profile "$config") ]]; then engines+=("${config%/config.pbtxt}"); fi
done
[[ ${#engines[@]} -gt 0 ]] ||
  fail "$repository has no engine for TensorRT: export it with --platform tensorrt"

partial=
trap 'rm -f "$partial"' EXIT
built=0
for engine in "${engines[@]}"; do
  name=${engine##*/}
  folder=$engine/1
  [[ -f $folder/model.onnx ]] || fail "$name has no $folder/model.onnx: export it again"
  [[ ! $folder/model.plan -nt $folder/model.onnx ]] || continue
  echo "building $name"
  partial=$folder/.model.plan.partial
  log=$folder/trtexec.log
  read -ra shapes <<<"$(profile "$engine/config.pbtxt")"
  "$trtexec" --onnx="$folder/model.onnx" --saveEngine="$partial" "${typed[@]}" --skipInference \
    "${shapes[@]}" "$@" >"$log" 2>&1 || fail "trtexec failed ($?) on $name: see $log"
  [[ -s $partial ]] || fail "trtexec wrote no plan for $name: see $log"
  mv "$partial" "$folder/model.plan"
  rm "$log"
  built=$((built + 1))
done
echo "plans of $repository: built $built, kept $((${#engines[@]} - built))"
