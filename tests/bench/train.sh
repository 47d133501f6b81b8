#!/usr/bin/env bash
# Measures the trainer's ratios on the shipped example; minutes, nothing else should run.
# Needs a Python with torch and diffusers: PYTHON=venv/bin/python tests/bench/train.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
./mvnw -q -DskipTests package
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive} # for both sides, as bin/harmonica sets it
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" io.harmonica.train.TrainingBenchmark \
  export/shapes-dit "${PYTHON:-python3}" "${1:-10}"
