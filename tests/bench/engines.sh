#!/usr/bin/env bash
# Measures engines of a step, a block and a branch, or of blocks in fp32 and int8, against each other in this process, with branches reused one by one and as runs:
# processor time of a trajectory of a DiT-B/2-sized model, and what is realised of the theoretical speedup. Needs a Python with torch and
# diffusers for the model's random weights:
#   PYTHON=venv/bin/python tests/bench/engines.sh [ROUNDS [engines|precisions]]        or CHECKPOINT=... for another model
set -euo pipefail
cd "$(dirname "$0")/../.."
work=${WORK:-target/bench}
checkpoint=${CHECKPOINT:-$work/dit/B-2}
mkdir -p "$work"
[ -d "$checkpoint" ] || "${PYTHON:-python3}" tests/bench/random_dit.py B "$checkpoint"
./mvnw -q -B -DskipTests package
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" \
  io.harmonica.bench.EngineBenchmark "$checkpoint" "$work" "${1:-20}" "${2:-engines}"
