#!/bin/bash
# run.sh: `npm run soak`. The daemon at 500 edges a second for half an hour; puts the figures into docs/reliability.md between
# the markers "soak". With an argument, the minutes, it only prints. GPIO_IRQD names another dist/daemon/main.js.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=bench/soak
built=build/bench
program=${GPIO_IRQD:-dist/daemon/main.js}
failed=0

[ -e "$program" ] || { echo "run.sh: no $program: npm run build" >&2; exit 1; }
node_modules/.bin/tsc -p $here/tsconfig.json
report=$(node $built/$here/main.js $here "$program" "${1:-30}") || failed=1
echo "$report"
[ $# = 0 ] && [ "$failed" = 0 ] || exit "$failed"
node bench/publish.mjs docs/reliability.md soak <<<"$report"
