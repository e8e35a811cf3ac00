#!/bin/bash
# run.sh [ROUNDS]: `npm run bench:start`. Measures start and memory of dist/ on this machine and in the test kernel; prints the
# tables, and puts them into docs/performance.md. With ROUNDS (default 5) it only prints.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=bench/start
built=build/bench
rounds=${1:-5}

mkdir -p $built
gcc -O2 -Wall -Wextra -Werror -o $built/ready $here/ready.c
node_modules/.bin/tsc -p $here/tsconfig.json
test/kernel/build.sh >/dev/null
load() { cut -d' ' -f1 /proc/loadavg; }
before=$(load)
report=$(node $built/$here/main.js $built/ready 'On this machine' "$rounds")
report+=$'\n\n'$(test/kernel/boot.sh --timeout 300 -- node $built/$here/main.js $built/ready 'In the test kernel' "$rounds")
report+=$'\n\n'"Node $(node --version), $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1). Load of the machine, which has $(nproc) CPUs: $before before, $(load) after."
echo "$report"
if [ $# = 0 ]; then node bench/publish.mjs docs/performance.md start <<<"$report"; fi
