#!/usr/bin/env bash
# Measures the embedded runtime's ratios on a B/2-sized model with random weights; minutes.
# Needs a Python with torch and diffusers: PYTHON=venv/bin/python tests/bench/run.sh [ROUNDS [dit|pixart]]
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
work=${WORK:-target/bench}
model=${2:-dit}
mkdir -p "$work/$model"
[ -d "$work/$model/B-2" ] || "$python" "tests/bench/random_$model.py" B "$work/$model/B-2"
./mvnw -q -DskipTests package
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" io.harmonica.bench.Benchmark \
  "$work/$model/B-2" "$work/$model" "$python" "${1:-20}"
