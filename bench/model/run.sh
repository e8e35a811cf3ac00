#!/bin/bash
# run.sh: `npm run bench:model`. Measures what the model's operations take, prints the table, and puts it into
# docs/performance.md between the markers "model". With arguments (see main.ts) it only prints.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=bench/model
built=build/bench
results=docs/performance.md

node_modules/.bin/tsc -p $here/tsconfig.json
# A young generation that is not collected while allocations are counted.
report=$(node --expose-gc --max-semi-space-size=256 --min-semi-space-size=256 $built/$here/main.js "$@")
echo "$report"
[ $# = 0 ] || exit 0
REPORT=$report node -e '
  const { readFileSync, writeFileSync } = require("node:fs");
  const [file] = process.argv.slice(1);
  const text = readFileSync(file, "utf8");
  const between = /(<!-- model -->\n)[^]*(<!-- \/model -->)/;
  if (!between.test(text)) throw new Error(`${file} has lost its markers "<!-- model -->" and "<!-- /model -->"`);
  writeFileSync(file, text.replace(between, (_, open, close) => `${open}\n${process.env.REPORT}\n\n${close}`));' $results
echo "written to $results"
