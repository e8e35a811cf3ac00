#!/bin/bash
# boot.sh: runs one command inside the test kernel, as root, with this machine's files under a RAM overlay.
#
# Usage: boot.sh [option]... -- COMMAND [ARGUMENT]...
#   --timeout SECONDS   kill the guest after so long (default 120)
#   --memory MEGABYTES  RAM of the guest, its overlay included (default 1024)
#   --out DIRECTORY     a directory of this machine that the guest may write to, at the same path
#   --systemd UNITDIR   boot systemd as PID 1, with the units of UNITDIR and no others of this machine's /etc
#   --verbose           show the kernel's (and systemd's) console on standard error as well
#
# The command runs in the current directory with this PATH; its output comes out here, its exit status is this script's.
# Other statuses: 2 wrong use, 124 the time was up, 125 the guest died before the command ended (its console is shown).
# However this script ends, SIGKILL included, the guest is killed and its temporary directory removed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kernel=${XDG_CACHE_HOME:-$HOME/.cache}/gpio-irqd/test-kernel/linux
timeout=120 memory=1024 out='' mode=command units='' verbose=''

wrong_use() { echo "boot.sh: $*" >&2; exit 2; }

while [ $# -gt 0 ]; do
  case $1 in
    --verbose) verbose=1; shift; continue ;;
    --) shift; break ;;
    --timeout | --memory | --out | --systemd) [ $# -ge 2 ] || wrong_use "$1 needs a value" ;;
    *) wrong_use "unknown argument '$1'; usage: boot.sh [option]... -- COMMAND [ARGUMENT]..." ;;
  esac
  case $1 in
    --timeout) timeout=$2 ;;
    --memory) memory=$2 ;;
    --out) out=$(cd "$2" && pwd) || wrong_use "no directory $2" ;;
    --systemd) mode=systemd units=$(cd "$2" && pwd) || wrong_use "no directory $2" ;;
  esac
  shift 2
done
[ $# -gt 0 ] || wrong_use 'no command'
[ -x "$kernel" ] || wrong_use "no kernel at $kernel: run test/kernel/build.sh first"

run=$(mktemp -d /tmp/gpio-irqd-guest.XXXXXX)
ulimit -c 0

# The janitor sits in a session of its own and waits for the end of this script, by whatever cause: then nobody holds
# the writing end of its pipe any more. After the rename a guest that is about to start cannot leave its pid, and gives up.
exec {alive}> >(exec setsid /bin/bash -c '
  cat >/dev/null
  mv "$1" "$1.ended"
  if read -r guest <"$1.ended/guest.pid"; then kill -KILL "$guest"; fi
  rm -rf "$1.ended"' janitor "$run" >/dev/null 2>&1)
janitor=$!
clean_up() {
  exec {alive}>&-
  wait "$janitor" || true
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# What the guest reads: PID 1's program, the command, the units, the directory it may write to.
mkdir "$run/uml" "$run/units" "$run/result"
cp "$here/guest-init.sh" "$run/init"
if [ -n "$units" ]; then cp -R "$units/." "$run/units/"; fi
if [ -n "$out" ]; then printf '%s\n' "$out" >"$run/out"; fi
{
  printf 'export PATH=%q\n' "$PATH"
  for name in CI NO_COLOR FORCE_COLOR; do [ -z "${!name:-}" ] || printf 'export %s=%q\n' "$name" "${!name}"; done
  printf 'cd %q || exit 125\n' "$PWD"
  printf '%q ' "$@"
  echo
} >"$run/command"

# UML keeps the guest's RAM in a deleted file of $TMPDIR: /dev/shm, unless a container made that too small.
free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1) || free=0
if [ "${free:-0}" -ge $((memory * 1024)) ]; then ram=/dev/shm; else ram=$run; fi

# One host CPU for the guest: its processes hand over to each other by ptrace, which across CPUs takes 2-3 times as long.
cpu=$(sed -n 's/^Cpus_allowed_list:.*[^0-9]\([0-9]\{1,\}\)$/\1/p' /proc/self/status)

# UML makes the descriptors that it is given non-blocking, so it gets a pipe of its own.
mkfifo "$run/output"
cat "$run/output" {alive}>&- &
output=$!
# UML leaves the process group of timeout(1), so the janitor needs its own pid; its helpers die with it.
TMPDIR=$ram timeout --kill-after=2 "$timeout" /bin/sh -c 'echo $$ >"$1/guest.pid" && shift && exec "$@"' sh "$run" \
  taskset -c "$cpu" "$kernel" \
  mem="${memory}M" root=/dev/root rootfstype=hostfs ro init="$run/init" panic=-1 \
  uml_dir="$run/uml/" umid=guest con0=null,fd:3 con1=null,fd:1 \
  guest_run="$run" guest_mode=$mode \
  </dev/null >"$run/output" 2>"$run/console" 3>>"$run/console" {alive}>&- &
guest=$!
follower=
if [ -n "$verbose" ]; then
  tail -f -n +1 --pid="$guest" "$run/console" >&2 {alive}>&- &
  follower=$!
fi

status=0
wait "$guest" 2>/dev/null || status=$? # bash would report the signal of a panic there
wait "$output" || true
[ -z "$follower" ] || wait "$follower" || true
if [ -s "$run/result/status" ]; then exit "$(cat "$run/result/status")"; fi
case $status in
  124 | 137) echo "boot.sh: the guest was killed after $timeout s" >&2; status=124 ;;
  *) echo "boot.sh: the guest died (status $status) before the command ended" >&2; status=125 ;;
esac
[ -n "$verbose" ] || { echo 'boot.sh: last lines of its console:'; tail -n 25 "$run/console"; } >&2
exit $status
