#!/usr/bin/env bash
# Measures the embedded runtime's ratios on a DiT-B/2-sized model with random weights; minutes.
# Needs a Python with torch and diffusers: PYTHON=venv/bin/python tests/bench/run.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
work=${WORK:-target/bench}
mkdir -p "$work"
[ -d "$work/DiT-B-2" ] || "$python" tests/bench/random_dit.py B "$work/DiT-B-2"
./mvnw -q -DskipTests package
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" io.harmonica.bench.Benchmark \
  "$work/DiT-B-2" "$work" "$python" "${1:-20}"
