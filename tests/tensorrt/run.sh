#!/usr/bin/env bash
# Compiles every kind of engine of every golden model with TensorRT: each precision at 1, 2 and all blocks an engine.
# Minutes; `./mvnw verify` takes a part of it. check.sh says what it proves.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec ./mvnw -q -B test -Dtest=TensorRtTest -DargLine=-Dtensorrt=all
