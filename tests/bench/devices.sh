#!/usr/bin/env bash
# Measures a device of the embedded runtime on a B/2-sized model with random weights; minutes.
# Needs a Python with torch and diffusers: PYTHON=venv/bin/python tests/bench/devices.sh [ROUNDS [DEVICE]]
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
work=${WORK:-target/bench}/dit
mkdir -p "$work"
[ -d "$work/B-2" ] || "$python" tests/bench/random_dit.py B "$work/B-2"
./mvnw -q -DskipTests package
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" io.harmonica.bench.DeviceBenchmark \
  "$work/B-2" "$work" "$python" "${1:-20}" "${2:-openvino}"
