#!/usr/bin/env bash
# Measures what a client adds to a step on this host's Triton, in shared memory, by one and by five steps a request, and
# over the wire: with the example, then with a DiT-B/2-sized model; minutes. Needs a Python with torch and diffusers for the model's random weights:
#   PYTHON=venv/bin/python tests/bench/memory.sh [ROUNDS]        or CHECKPOINT=... for another model
set -euo pipefail
cd "$(dirname "$0")/../.."
work=${WORK:-target/bench}
checkpoint=${CHECKPOINT:-$work/dit/B-2}
mkdir -p "$work"
[ -d "$checkpoint" ] || "${PYTHON:-python3}" tests/bench/random_dit.py B "$checkpoint"
./mvnw -q -B -DskipTests package
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" \
  io.harmonica.bench.MemoryBenchmark "$checkpoint" "$work" "${1:-20}"
