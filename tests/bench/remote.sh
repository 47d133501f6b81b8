#!/usr/bin/env bash
# Measures what several steps in one request (harmonica-export --steps-per-request) are worth to a client
# far from its Triton: on loopback, behind a proxy that delays each direction. A minute or two.
#   tests/bench/remote.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
work=${WORK:-target/bench}
mkdir -p "$work"
./mvnw -q -B -DskipTests package
exec java -Xmx2g -cp "target/test-classes:target/classes:target/lib/*" \
  io.harmonica.bench.RemoteBenchmark "$work" "${1:-20}"
