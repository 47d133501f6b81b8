#!/usr/bin/env bash
# Measures exports of one model against each other in this process, with branches reused one by one and as runs: processor time of a
# trajectory, what is realised of the theoretical speedup, and the peak of the cache. engines: of a step, a block and a branch, a
# DiT-B/2-sized model; precisions: of its blocks in fp32 and int8; example: of the example's blocks, as many rows as the demo has;
# flux: a FLUX as wide of 9 blocks, 256 x 256 pixels and 128 text tokens.
# Needs a Python with torch and diffusers for the model's random weights:
#   PYTHON=venv/bin/python tests/bench/engines.sh [ROUNDS [engines|precisions|example|flux]]        or CHECKPOINT=... for another model
set -euo pipefail
cd "$(dirname "$0")/../.."
work=${WORK:-target/bench}
model=dit
case ${2:-engines} in
  engines) measured="4 1 step,block,branch branch,model" ;;
  precisions) measured="5 1 block,int8,int8-cache branch,model" ;; # of 5 steps two are reused: CUR 0.4
  example)
    CHECKPOINT=export/shapes-dit
    measured="20 16 block branch,model"
    ;;
  flux)
    model=flux
    measured="4 1 step,block random 256x256 128"
    ;;
  *)
    echo "error: '$2' is none of engines, precisions, example and flux" >&2
    exit 2
    ;;
esac
checkpoint=${CHECKPOINT:-$work/$model/B-2}
mkdir -p "$work"
[ -d "$checkpoint" ] || "${PYTHON:-python3}" "tests/bench/random_$model.py" B "$checkpoint"
./mvnw -q -B -DskipTests package
# shellcheck disable=SC2086 # several words
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" \
  io.harmonica.bench.EngineBenchmark "$checkpoint" "$work" "${1:-20}" $measured
