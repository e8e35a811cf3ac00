#!/bin/bash
# run.sh: `npm run bench:scenario`. Measures how long an hour of presses takes to replay, prints the table, and puts it into
# docs/performance.md between the markers "scenario". With an argument, the simulated seconds, it only prints.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=bench/scenario
built=build/bench
results=docs/performance.md

node_modules/.bin/tsc -p $here/tsconfig.json
report=$(node $built/$here/main.js "$@")
echo "$report"
[ $# = 0 ] || exit 0
REPORT=$report node -e '
  const { readFileSync, writeFileSync } = require("node:fs");
  const [file] = process.argv.slice(1);
  const text = readFileSync(file, "utf8");
  const between = /(<!-- scenario -->\n)[^]*(<!-- \/scenario -->)/;
  if (!between.test(text)) throw new Error(`${file} has lost its markers "<!-- scenario -->" and "<!-- /scenario -->"`);
  writeFileSync(file, text.replace(between, (_, open, close) => `${open}\n${process.env.REPORT}\n\n${close}`));' $results
echo "written to $results"
