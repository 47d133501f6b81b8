#!/usr/bin/env bash
# Measures what batching is worth with 16 pictures in flight: by the engines' dynamic batching, by a client that
# gathers them, by hand; the example on two servers, all in turns. Minutes.
#   tests/bench/batching.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
work=${WORK:-target/bench}
mkdir -p "$work"
./mvnw -q -B -DskipTests package
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" \
  io.harmonica.bench.BatchingBenchmark "$work" "${1:-10}"
