#!/bin/bash
# program.sh PACKAGE NODE...: the whole program on another machine's Node, as `NODE... PACKAGE/dist/daemon/main.js` runs it.
#
# PACKAGE is a folder with the package and the libraries that it cannot do without: no native one but its own addon. Each
# command has a time that is ample under emulation, and ends by itself.
set -euo pipefail

package=$1
node=("${@:2}")
limit=120
stage=$(mktemp -d)
daemon= manager=
clean_up() {
  [ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null || true
  # Waited for, so that the shell does not tell of its end.
  [ -z "$manager" ] || { kill "$manager" && wait "$manager"; } 2>/dev/null || true
  rm -rf "$stage"
}
trap clean_up EXIT

fail() { echo "test:prebuilds: $*" >&2; exit 1; }
# expect NAME TEXT PATTERN: the text of a command, by an extended regular expression.
expect() { grep -Eq -- "$3" <<<"$2" || fail "$1: no '$3' in:"$'\n'"$2"; }
run() { timeout --kill-after=10 "$limit" "${node[@]}" "$package/dist/daemon/$1.js" "${@:2}" 2>&1; }
ctl() { run ctl --socket "$stage/control.sock" "$@"; }

commands() {
  local example=$package/examples/button-led.yaml
  expect version "$(run main --version)" "^$(node -p "require('$package/package.json').version")\$"
  expect check "$(run main check --config "$example")" ': ok \(3 lines, 2 interrupts\)$'
  expect demo "$(run main run --demo --driver sim --config "$example" --socket "$stage/demo.sock")" '^ +4: +1 +pinctrl-bcm2835 +17 Edge +gpiomod#button1$'
}

# What a machine of another kind wrote down: every stamp and every edge of a visitor, byte for byte.
replay() {
  local wanted=$package/examples/ci/scenarios/visitor
  expect replay "$(run main replay "$wanted.yaml" --config "$package/examples/ci/gpio-irqd.yaml" --expect "$wanted.trace.jsonl" && echo 'the same')" '^the same$'
}

# Writes down what is sent to the service manager's socket.
manager() {
  python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "ab", 0) as out:
    while True: out.write(s.recv(65536) + b"\n")
' "$stage/notify" "$stage/notified" &
  manager=$!
  until [ -S "$stage/notify" ]; do sleep 0.1; done
}

# A press through the control socket, its work in a worker thread, and a stop as systemd asks for one. The module gets more
# time than the example gives it.
service() {
  local log=$stage/log config=$stage/compute.yaml deadline=$((SECONDS + limit)) status=0
  cp -r "$package/examples/handlers" "$stage"
  # Else only Node from 20.19 on sees by itself that the module is one; the newest for ARMv7 at npm is older.
  echo '{ "type": "module" }' >"$stage/package.json"
  sed 's/timeout: 10s/timeout: 100s/' "$package/examples/compute.yaml" >"$config"
  manager
  NOTIFY_SOCKET=$stage/notify timeout --foreground --kill-after=10 $((2 * limit)) "${node[@]}" "$package/dist/daemon/main.js" \
    run --driver sim --config "$config" --socket "$stage/control.sock" >"$log" 2>&1 &
  daemon=$!
  until grep -q 'control socket is open' "$log"; do
    [ "$SECONDS" -lt "$deadline" ] && kill -0 "$daemon" 2>/dev/null || fail "the daemon does not start: $(cat "$log")"
    sleep 0.2
  done
  expect press "$(ctl press button1 --for 20ms && echo pressed)" '^pressed$'
  expect get "$(ctl get led1)" '^1$'
  expect status "$(ctl status)" '^edges +1 received, 0 lost'
  kill -TERM "$daemon"
  wait "$daemon" || status=$?
  daemon=
  [ "$status" = 0 ] || fail "the daemon ended with $status: $(cat "$log")"
  [ ! -e "$stage/control.sock" ] || fail 'the daemon left its socket'
  expect work "$(cat "$log")" 'edge 1 of button1: 78498 primes'
  # By the addon: the systemd-notify package is not here.
  expect notified "$(tr '\n' ';' <"$stage/notified")" '^READY=1;STATUS=SIMULATED .*;STOPPING=1;STATUS=SIGTERM;$'
}

commands
replay
service
echo "$("${node[@]}" -p '`${process.arch}, Node ${process.version}`'): commands, replay and service in $SECONDS s"
