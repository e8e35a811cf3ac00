#!/bin/bash
# run.sh: `npm run test:kernel`, the whole suite on the test kernel: builds what is missing, boots, tests, counts.
#
# Usage: run.sh [PROJECT [VITEST ARGUMENT...]]      e.g. run.sh kernel drivers/chardev -t busy
# PROJECT is one of those of vitest.config.ts: rig (boot.sh itself), kernel (one guest), systemd (one guest under
# systemd); without it all three run. Exit status 0 when every one of them passed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=test/kernel
failed=()

vitest() { node_modules/.bin/vitest run --config $here/vitest.config.ts --project "$@"; }
guest() { $here/boot.sh --timeout 1800 "${boot_options[@]}" -- node_modules/.bin/vitest run --config $here/vitest.config.ts --project "$@"; }

# Specs import the sources, but for the compiled addon; systemd starts the built program.
build_addon() {
  if [ -e build/Makefile ]; then make -s -C build BUILDTYPE=Release >/dev/null; else npm run --silent install; fi
}
build_service() { build_addon && npm run --silent build; }

# The Debian package that is installed there, unless it is newer than all that it is made of.
build_package() {
  local built
  built=$(ls -t packaging/out/*_"$(dpkg --print-architecture)".deb 2>/dev/null | head -n 1) || true
  if [ -n "$built" ] && [ -z "$(find daemon drivers kernel sim-fallback systemd testing packaging/deb package.json -newer "$built" -print -quit)" ]; then return; fi
  rm -f packaging/out/*.deb
  npm run --silent package:deb >/dev/null
}

# npm leaves an optional package out when it cannot be built, as where libgpiod-dev came after it.
check_peers() {
  local package
  for package in node-libgpiod onoff; do
    node -e "require('$package')" 2>/dev/null || { echo "run.sh: the package $package does not load: run npm ci again" >&2; exit 1; }
  done
}

run_project() {
  local project=$1 start=$SECONDS status=0
  echo "== $project"
  boot_options=()
  case $project in
    rig) vitest "$@" || status=1 ;;
    kernel) guest "$@" || status=1 ;;
    systemd) boot_options=(--systemd $here/systemd/units); guest "$@" || status=1 ;;
    *) echo "run.sh: no project '$project': rig, kernel or systemd" >&2; exit 2 ;;
  esac
  echo "== $project: $((SECONDS - start)) s"
  return $status
}

$here/build.sh >/dev/null
check_peers
build_service
case "$*" in '' | systemd | *deb*) build_package ;; esac

if [ $# -gt 0 ]; then
  run_project "$@" || failed+=("$1")
else
  # A guest keeps to the last CPU that it is allowed. The long project gets that one, the others the first; on a machine
  # with one CPU they share it.
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  run_project systemd >"$log" 2>&1 &
  systemd=$!
  first=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status)
  taskset -pc "$first" $$ >/dev/null
  for project in rig kernel; do run_project $project || failed+=($project); done
  wait $systemd || failed+=(systemd)
  cat "$log"
fi
if [ ${#failed[@]} -gt 0 ]; then
  echo "test:kernel: failed: ${failed[*]}"
  exit 1
fi
echo 'test:kernel: all passed'
