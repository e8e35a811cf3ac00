#!/bin/bash
# pipe.sh [ROUNDS]: `npm run bench:pipe`. Measures on this machine itself, without GPIO, what comes behind a kernel's FIFO of
# edges; prints the table, and puts it into docs/performance.md. With ROUNDS (default 5) it only prints. Half a minute.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=bench/kernel
built=build/bench

mkdir -p $built
for program in write-records epoll-reader; do gcc -O2 -Wall -Wextra -Werror -o $built/$program $here/$program.c; done
node_modules/.bin/tsc -p $here/tsconfig.json
name=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
load() { cut -d' ' -f1 /proc/loadavg; }
before=$(load)
# Writer and reader share a CPU, as an interrupt does with the program that it wakes in the test kernel.
cpu=$(sed -n 's/^Cpus_allowed_list:.*[^0-9]\([0-9]\{1,\}\)$/\1/p' /proc/self/status)
report=$(taskset -c "$cpu" node $built/$here/pipe.js $built "$name" "${1:-5}")
report+=" Load, with $(nproc) CPUs: $before before, $(load) after."
echo "$report"
if [ $# = 0 ]; then node bench/publish.mjs docs/performance.md pipe <<<"$report"; fi
