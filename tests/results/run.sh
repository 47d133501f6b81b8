#!/usr/bin/env bash
# Writes docs/RESULTS.md: every method at every budget on the example model. It can be stopped and started again:
# what is measured is kept in tests/results/cells.jsonl. A first look: tests/results/run.sh --steps 20 --speedups 1.5 \
#   --count 200 --store /tmp/cells.jsonl --page /tmp/RESULTS.md. Settings.java lists the options.
set -euo pipefail
cd "$(dirname "$0")/../.."
./mvnw -q -B -DskipTests package
exec java -Xmx3g -cp "target/test-classes:target/classes:target/lib/*" io.harmonica.results.Results "$@"
