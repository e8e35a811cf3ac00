#!/bin/bash
# run.sh: `npm run test:reliability`, what goes wrong in the long run or all at once (docs/reliability.md): a day in virtual
# time, kills, also of the broker, floods, full disks, random requests and configurations. The broker is Debian's mosquitto.
#
# Usage: run.sh [full|publish] [VITEST ARGUMENT...]      `full` does all of it as often as docs/reliability.md says, `publish` puts
# the figures there besides; without either it does less, in some four minutes.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case ${1:-} in
  full) export RELIABILITY=full; shift ;;
  publish) export RELIABILITY=full RELIABILITY_PUBLISH=1; shift ;;
esac

[ -e "${GPIO_IRQD:-dist/daemon/main.js}" ] || npm run --silent build
exec node_modules/.bin/vitest run --config test/reliability/vitest.config.ts "$@"
