#!/bin/bash
# run.sh: `npm run bench:edge-latency`. Measures in the test kernel how long an edge takes to a handler in C, in this
# project and in onoff; prints the tables, and puts them into docs/performance.md between the markers "edge-latency".
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=bench/edge-latency
built=build/bench
results=docs/performance.md

test/kernel/build.sh >/dev/null
mkdir -p $built
for program in inject epoll-reader; do gcc -O2 -Wall -Wextra -Werror -o $built/$program $here/$program.c; done
node_modules/.bin/tsc -p $here/tsconfig.json

# In the guest, /proc/cpuinfo says only that it is User Mode Linux.
cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
report=$(test/kernel/boot.sh --timeout 300 -- node $built/$here/compare.js $built "$cpu")
echo "$report"
REPORT=$report node -e '
  const { readFileSync, writeFileSync } = require("node:fs");
  const [file] = process.argv.slice(1);
  const text = readFileSync(file, "utf8");
  const between = /(<!-- edge-latency -->\n)[^]*(<!-- \/edge-latency -->)/;
  if (!between.test(text)) throw new Error(`${file} has lost its markers "<!-- edge-latency -->" and "<!-- /edge-latency -->"`);
  writeFileSync(file, text.replace(between, (_, open, close) => `${open}\n${process.env.REPORT}\n\n${close}`));' $results
echo "written to $results"
