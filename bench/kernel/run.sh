#!/bin/bash
# run.sh [ROUNDS]: `npm run bench:kernel`. Measures in one boot of the test kernel how this project, a reader in C and the
# peers take edges; prints the tables, and puts them into docs/performance.md. With ROUNDS (default 3) it only prints. Says on
# standard error what it is at; about ten minutes on a machine without other work.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=bench/kernel
built=build/bench
results=docs/performance.md
rounds=${1:-3}
# Several times what a machine without other work needs.
seconds=$((900 + 600 * rounds))

test/kernel/build.sh >/dev/null
mkdir -p $built
for program in inject epoll-reader; do gcc -O2 -Wall -Wextra -Werror -o $built/$program $here/$program.c; done
node_modules/.bin/tsc -p $here/tsconfig.json
command -v gpiomon >/dev/null || { echo 'run.sh: gpiomon is missing: apt install gpiod' >&2; exit 1; }

# In the guest, /proc/cpuinfo says only that it is User Mode Linux, and its load is its own.
cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
load() { cut -d' ' -f1 /proc/loadavg; }
before=$(load)
# What it says meanwhile comes through the same pipe.
report=$(test/kernel/boot.sh --timeout $seconds -- node $built/$here/main.js $built "$cpu" "$rounds" |
  sed -u -e '/^\.\. /{w /dev/stderr' -e 'd}')
report+=" Load of that machine, which has $(nproc) CPUs: $before before, $(load) after."
echo "$report"
if [ $# = 0 ]; then node bench/publish.mjs $results kernel <<<"$report"; fi
