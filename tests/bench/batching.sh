#!/usr/bin/env bash
# Measures what dynamic batching in the engines' configurations is worth with 16 trajectories in flight: the
# example on two servers that differ in that alone and take turns. Minutes.
#   tests/bench/batching.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
work=${WORK:-target/bench}
mkdir -p "$work"
./mvnw -q -B -DskipTests package
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" \
  io.harmonica.bench.BatchingBenchmark "$work" "${1:-10}"
