#!/bin/bash
# run.sh: `npm run bench:debounce`. Three ways to debounce a button, against the simulator's and against a line of the test
# kernel; fills in the tables of docs/debounce.md. `run.sh simulator` or `run.sh gpio-sim` does one of the two.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=bench/debounce
built=build/bench
results=docs/debounce.md
what=${1:-simulator gpio-sim}

node_modules/.bin/tsc -p $here/tsconfig.json
# The daemon looks for its version two folders above its own.
cp package.json build/
for one in $what; do
  case $one in
    simulator) report=$(node $built/$here/main.js simulator) ;;
    gpio-sim)
      test/kernel/build.sh >/dev/null
      gcc -O2 -Wall -Wextra -Werror -o $built/toggle $here/toggle.c
      # In the guest, /proc/cpuinfo says only that it is User Mode Linux.
      cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
      report=$(test/kernel/boot.sh --timeout 480 -- node $built/$here/main.js gpio-sim $built "$cpu")
      ;;
    *) echo "run.sh: no table '$one': simulator or gpio-sim" >&2; exit 2 ;;
  esac
  echo "$report"
  node bench/publish.mjs $results debounce-$one <<<"$report"
done
