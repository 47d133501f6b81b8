#!/usr/bin/env bash
# Checks on an NVIDIA GPU what no machine here could: TensorRT plans, ONNX Runtime's CUDA and TensorRT providers on Triton,
# their pictures against this process's, what routers are worth there, and PyTorch on the same GPU. Prints one page.
#
#   PYTHON=venv/bin/python tests/gpu/run.sh [FOLDER]     half an hour to two; FOLDER (default target/gpu) keeps all of it
#   PYTHON=venv/bin/python tests/gpu/run.sh --dry-run [FOLDER]
#
# Needs a GPU with its driver, and Docker (TRITON_IMAGE, default NVIDIA's 24.10) or a tritonserver and a trtexec of its
# own on PATH; Python with torch and diffusers. SIZE=B or XL is the DiT that is timed, ROUNDS how often.
# --dry-run goes the same steps without a GPU, as far as they go: the tests' own Triton serves ONNX Runtime's engines on
# the CPU, TensorRT's are compiled ahead of time (tests/tensorrt), and the small example stands for the large model.
# A step that fails is told on the page; the others go on, and the exit code is 1.
set -euo pipefail

dry=
if [[ ${1:-} == --dry-run ]]; then
  dry=1
  shift
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mkdir -p "${1:-$root/target/gpu}"
out=$(cd "${1:-$root/target/gpu}" && pwd)
cd "$root"
python=${PYTHON:-python3}
image=${TRITON_IMAGE:-nvcr.io/nvidia/tritonserver:24.10-py3}
size=${SIZE:-XL}
rounds=${ROUNDS:-20}
steps=20
grpc=18001 http=18000 metrics=18002
triton=127.0.0.1:$grpc
device=cuda
served="onnxruntime-fp32 onnxruntime-fp16 accelerated-fp16 plans-fp32 plans-fp16"
compiled=
local_triton=$(command -v tritonserver || true)
if [[ $dry ]]; then
  device=cpu
  served="onnxruntime-fp32 onnxruntime-fp16"
  compiled="accelerated-fp16 plans-fp32 plans-fp16"
elif ! nvidia-smi -L >/dev/null 2>&1; then
  echo "error: no NVIDIA GPU here (nvidia-smi -L): run it where there is one, or with --dry-run" >&2
  exit 1
elif [[ -z $local_triton ]] && ! docker info >/dev/null 2>&1; then
  echo "error: neither tritonserver on PATH nor a running Docker: install one of them" >&2
  exit 1
fi
failed=0
rm -rf "$out"/{models,compiled,embedded,steps.tsv,facts.txt,page.md,server.pid} "$out"/compare-*.json "$out"/pytorch.json "$out"/*.log

# Runs a step in a shell of its own, which ends at the first fault; keeps its output and notes how it went.
step() {
  local name=$1 start=$SECONDS code
  echo "$name ..." >&2
  set +e # what stands before || or in a condition would not end at a fault
  (
    set -e
    "${@:2}"
  ) >"$out/$name.log" 2>&1
  code=$?
  set -e
  [[ $code == 0 ]] || failed=1
  printf '%s\t%s\t%s\t%s\n' "$name" $((SECONDS - start)) "$code" \
    "$(tail -n 1 "$out/$name.log" | tr '\t' ' ' | cut -c1-200)" >>"$out/steps.tsv"
}

# A command where Triton is: in its container, with this project and the folder at their own paths.
beside_triton() {
  if [[ $local_triton ]]; then
    "$@"
  else
    docker run --rm ${container:+--name "$container"} --gpus "device=${GPU:-0}" --ipc host --network host \
      -v "$root:$root:ro" -v "$out:$out" "$image" "$@"
  fi
}

facts() {
  date -u +%FT%TZ
  echo "harmonica $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
  grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- | sed 's/^ //'
  if [[ $dry ]]; then
    echo "dry run, without a GPU"
  else
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
    if [[ $local_triton ]]; then echo "tritonserver of this machine"; else echo "$image"; fi
    beside_triton bash -c '"${TRTEXEC:-$(command -v trtexec || echo /usr/src/tensorrt/bin/trtexec)}" --help 2>&1' |
      grep -m1 -o 'TensorRT v[0-9]*' || true
  fi
}

checkpoint() { # the model that is timed
  if [[ $dry ]]; then echo export/shapes-dit; else echo "$out/DiT-$size"; fi
}

make_model() {
  [[ $dry || -d $(checkpoint) ]] || "$python" tests/bench/random_dit.py "$size" "$(checkpoint)"
  local policy
  for policy in fora taylor; do
    bin/harmonica policy $policy --checkpoint "$(checkpoint)" --steps $steps --interval 2 --out "$out/$policy-2.json"
  done
}

# export WHAT KIND REPOSITORY: model WHAT-KIND, the example (parity) or the model that is timed (speed).
export_one() {
  local from=export/shapes-dit routers=export/shapes-dit/routers words=()
  if [[ $1 == speed ]]; then from=$(checkpoint) routers=$out; fi
  if [[ $dry ]]; then words=(--blocks-per-engine all); fi # an engine is a process in the tests' Triton
  case $2 in
    accelerated-*) words+=(--accelerator tensorrt) ;;
    plans-*) words+=(--platform tensorrt) ;;
  esac
  bin/harmonica-export --checkpoint "$from" --model-name "$1-$2" --precision "${2##*-}" "${words[@]}" \
    --router "$routers/fora-2.json" --router "$routers/taylor-2.json" --model-repository "$3"
}

export_all() {
  local kind what
  export_one parity embedded-fp32 "$out/embedded"
  for what in parity speed; do
    for kind in $served; do export_one $what "$kind" "$out/models"; done
    for kind in $compiled; do export_one $what "$kind" "$out/compiled"; done
  done
}

# fp32 plans are for parity, so without TF32; blocks are alike, so their kernels are measured once.
build_plans() {
  if [[ $dry ]]; then
    tests/tensorrt/check.sh "$out/compiled"
  else
    beside_triton "$root/export/build-engines.sh" "$out/models" -- --noTF32 "--timingCacheFile=$out/timing.cache"
  fi
}

serve() {
  local flags=(--backend-config=onnxruntime,enable-global-threadpool=1 --exit-on-error=false --strict-readiness=false
    --backend-config=onnxruntime,intra_op_thread_count="$(nproc)" --backend-config=onnxruntime,inter_op_thread_count=1
    --cuda-memory-pool-byte-size=0:2147483648 --pinned-memory-pool-byte-size=1073741824)
  if [[ $dry ]]; then
    exec tests/triton/serve.sh "$out/models" $grpc $http $metrics -- --exit-on-error=false --strict-readiness=false
  fi
  flags+=(--model-repository="$out/models" --model-control-mode=explicit --load-model='*'
    --grpc-port=$grpc --http-port=$http --metrics-port=$metrics)
  if [[ $local_triton ]]; then exec tritonserver "${flags[@]}"; fi
  local container=harmonica-gpu
  beside_triton tritonserver "${flags[@]}"
}

# Plans of accelerated engines are built as they load: that may take an hour.
start_server() {
  serve >"$out/server.log" 2>&1 &
  local server=$!
  echo $server >"$out/server.pid"
  local end=$((SECONDS + 3600)) kind what
  until curl -fs -o /dev/null "http://127.0.0.1:$http/v2/health/ready"; do
    kill -0 $server 2>/dev/null || {
      tail -n 3 "$out/server.log"
      return 1
    }
    ((SECONDS < end)) || {
      echo "the server is not ready after an hour: see $out/server.log"
      return 1
    }
    sleep 1
  done
  for what in parity speed; do
    for kind in $served; do
      is_ready "$what-$kind" || {
        echo "$what-$kind was not loaded: see $out/server.log"
        return 1
      }
    done
  done
}

is_ready() { curl -fs -o /dev/null "http://127.0.0.1:$http/v2/models/$1/ready"; }

stop_server() {
  [[ -f $out/server.pid ]] || return 0
  local pid
  pid=$(<"$out/server.pid")
  rm "$out/server.pid"
  if [[ ! $dry && ! $local_triton ]]; then docker stop -t 40 harmonica-gpu >/dev/null 2>&1 || true; fi
  kill "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
}
trap stop_server EXIT

# The example's pictures by ROUTER, on the server against fp32 in this process.
parity() {
  local kind letter=b words=(--a "name=here,model-repository=$out/embedded,model=parity-embedded-fp32,router=$1")
  for kind in $served; do
    is_ready parity-"$kind" || continue
    words+=("--$letter" "name=$kind,triton=$triton,model=parity-$kind,router=$1")
    letter=$(tr a-g b-h <<<"$letter")
  done
  bin/harmonica compare "${words[@]}" --classes 0,1,2,3 --steps $steps --rounds 1 --warm-up 1 \
    --json "$out/compare-parity-$1.json"
}

speed() {
  bin/harmonica compare --triton $triton --model "speed-$1" --a none --b fora-2 --c taylor-2 \
    --classes 0,1,2,3 --guidance 1 --steps $steps --rounds "$rounds" --json "$out/compare-speed-$1.json"
}

pytorch() {
  "$python" tests/gpu/pytorch.py "$(checkpoint)" 4 "$rounds" $device >"$out/pytorch.json"
  cat "$out/pytorch.json"
}

facts >"$out/facts.txt"
step model make_model
step export export_all
step plans build_plans
step serve start_server
step parity-none parity none
step parity-taylor-2 parity taylor-2
for kind in $served; do
  if is_ready "speed-$kind"; then step "speed-$kind" speed "$kind"; fi
done
stop_server # the GPU is PyTorch's alone
step pytorch pytorch
"$python" tests/gpu/page.py "$out" $steps | tee "$out/page.md"
exit $failed
