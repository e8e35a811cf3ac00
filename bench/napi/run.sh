#!/bin/bash
# run.sh: `npm run bench:napi`. Floods a simulated network card, and writes the plot docs/napi.svg and the table in docs/napi.md.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
node_modules/.bin/tsc -p bench/napi
node build/bench/bench/napi/main.js
