#!/usr/bin/env bash
# Measures engines of a step, a block and a branch against each other in this process, with branches reused one by one and as runs:
# processor time of a trajectory of a DiT-B/2-sized model, or a FLUX as wide of 9 blocks, 256 x 256 pixels and 128 text tokens, what is realised
# of the theoretical speedup, and the peak of the cache. Needs a Python with torch and diffusers for the model's random weights:
#   PYTHON=venv/bin/python tests/bench/engines.sh [ROUNDS [dit|flux]]        or CHECKPOINT=... for another model
set -euo pipefail
cd "$(dirname "$0")/../.."
work=${WORK:-target/bench}
model=${2:-dit}
checkpoint=${CHECKPOINT:-$work/$model/B-2}
mkdir -p "$work"
[ -d "$checkpoint" ] || "${PYTHON:-python3}" "tests/bench/random_$model.py" B "$checkpoint"
case $model in
  flux) measured="step,block random 256x256 128" ;;
  *) measured="step,block,branch branch,model" ;;
esac
./mvnw -q -B -DskipTests package
# shellcheck disable=SC2086 # several words
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" \
  io.harmonica.bench.EngineBenchmark "$checkpoint" "$work" "${1:-20}" $measured
