#!/usr/bin/env bash
# Writes docs/RESULTS.md, or with --subject scenes docs/RESULTS-TEXT.md: every method at every budget on an example model.
# It says how long it takes, and can be stopped and started again: what is measured is kept in tests/results/cells.jsonl.
# A first look: tests/results/run.sh --trajectories ddim20 --speedups 1.5 --count 200 --store /tmp/cells.jsonl \
#   --page /tmp/RESULTS.md. Settings.java lists the options.
set -euo pipefail
cd "$(dirname "$0")/../.."
./mvnw -q -B -DskipTests package
exec java -Xmx3g -cp "target/test-classes:target/classes:target/lib/*" io.harmonica.results.Results "$@"
