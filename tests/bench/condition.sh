#!/usr/bin/env bash
# Measures what it is worth that a server makes the condition once a trajectory, in shared memory and over the wire,
# on the test server; the example, or another model. Minutes.
#   tests/bench/condition.sh [ROUNDS]        or CHECKPOINT=... for another model
set -euo pipefail
cd "$(dirname "$0")/../.."
work=${WORK:-target/bench}
mkdir -p "$work"
./mvnw -q -B -DskipTests package
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" \
  io.harmonica.bench.ConditionBenchmark "${CHECKPOINT:-export/shapes-dit}" "$work" "${1:-20}"
