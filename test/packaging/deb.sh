#!/bin/bash
# deb.sh: the Debian package's life, by dpkg itself in a root of its own: installed, removed, installed again, purged. What the
# package has brought goes; what the administrator has put beside it stays.
#
# Usage: deb.sh PACKAGE.deb      Needs Debian's dpkg and systemd's programs, and root, or fakeroot around it. Nothing is started.
set -euo pipefail

deb=${1:?usage: deb.sh PACKAGE.deb}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

fail() { echo "test:packaging: $*" >&2; exit 1; }

# Its dependencies are those of the machine around it, not of this root.
dpkg_here() {
  dpkg --root="$root" --force-script-chrootless --force-depends --force-not-root --force-unsafe-io "$@" >"$root/dpkg.log" 2>&1 ||
    fail "dpkg $*: $(cat "$root/dpkg.log")"
}

# What is there but for dpkg's own records, and the users, which stay as files may belong to them.
content() {
  (cd "$root" && find . ! -type d ! -path './var/lib/dpkg/*' ! -path './dpkg.log' ! -path './var/log/*' \
    ! -path './etc/passwd*' ! -path './etc/group*' ! -path './etc/shadow*' ! -path './etc/gshadow*' ! -path './etc/.pwd.lock' | sort)
}

# expect NAME FILE...: exactly these are there.
expect() {
  local name=$1 found
  shift
  found=$(content)
  [ "$found" = "$(printf '%s\n' "$@" | sort)" ] || fail "$name: expected"$'\n'"$(printf '%s\n' "$@" | sort)"$'\n'"and there is"$'\n'"$found"
}

mkdir -p "$root"/var/lib/dpkg/{info,updates} "$root/etc"
touch "$root/var/lib/dpkg/status" "$root"/etc/{passwd,group}

own=(
  ./etc/systemd/system/gpio-irqd.service.d/network.conf
  ./etc/systemd/system/gpio-irqd.service.d/mine.conf
  ./etc/gpio-irqd/lines.yaml
  ./etc/gpio-irqd/handlers/button2.js
  ./var/cache/gpio-irqd/mine
)

dpkg_here --install "$deb"
[ -x "$root/usr/lib/gpio-irqd/dist/daemon/main.js" ] || fail 'the program is not there'
grep -q '^gpio-irqd:' "$root/etc/passwd" || fail 'the service has no user'
for file in "${own[@]}"; do install -D -m 644 /dev/null "$root/$file"; done
(cd "$root" && cp usr/share/doc/gpio-irqd/examples/network.conf "${own[0]}" && echo '# changed' >>etc/gpio-irqd/config.yaml)

dpkg_here --remove gpio-irqd
[ "$(tail -n 1 "$root/etc/gpio-irqd/config.yaml")" = '# changed' ] || fail 'a removal took the configuration'
[ ! -e "$root/usr/lib/gpio-irqd" ] || fail 'a removal left the program'
for file in "${own[@]}"; do [ -e "$root/$file" ] || fail "a removal took $file"; done

dpkg_here --install "$deb"
[ ! -e "$root/etc/systemd/system/gpio-irqd.service" ] || fail 'the service is still masked'
dpkg_here --purge gpio-irqd
expect 'after a purge' "${own[@]}"
cmp -s "$root/${own[0]}" "$(dirname "$0")/../../systemd/drop-ins/network.conf" || fail 'a purge changed a drop-in'

echo 'test:packaging: the Debian package comes and goes, and leaves what is not its own'
