#!/bin/bash
# build.sh: the test kernel, a User Mode Linux with gpio-sim, made from Debian's kernel source; and what its guest runs.
#
# Usage: build.sh [--programs]
# Prints the path of the kernel as its last line. Does not build when the cached kernel matches the source version, the
# patch, the configuration and the steps below. With --programs it only sees to the guest's programs.
#
# Missing Debian packages are installed when run as root; otherwise the script names them and ends with status 1.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gpio-irqd/test-kernel
kernel=$cache/linux
package=linux-source-6.12

say() { echo "test kernel: $*" >&2; }
die() { say "$*"; exit 1; }

# ensure COMMAND:PACKAGE...: installs the packages whose command (or file, when it starts with /) is missing.
ensure() {
  local pair missing=()
  for pair in "$@"; do
    case ${pair%:*} in
      /*) [ -e "${pair%:*}" ] || missing+=("${pair#*:}") ;;
      *) PATH=$PATH:/usr/sbin:/sbin command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}") ;;
    esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "needs Debian's packages ${missing[*]}, and apt-get is not on this machine"
  [ "$(id -u)" = 0 ] || die "missing packages; as root: apt-get install --no-install-recommends ${missing[*]}"
  say "installing ${missing[*]}"
  update_lists
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}

# A fresh machine has no package lists, one that slept has lists of versions that are gone: fetch them once.
update_lists() {
  [ -z "${lists_are_fresh:-}" ] || return 0
  if [ "$(id -u)" = 0 ]; then apt-get update -qq </dev/null; fi
  lists_are_fresh=1
}

candidate() { apt-cache policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: \([0-9].*\)/\1/p'; }

# Kconfig files all stay (every drivers/*/Kconfig is sourced); sources that this configuration cannot reach do not.
unpack() {
  local skip=()
  for dir in drivers/gpu drivers/net/ethernet drivers/net/wireless drivers/media drivers/infiniband drivers/scsi drivers/staging sound; do
    skip+=("--exclude=*/$dir/*.[chS]")
  done
  (cd "$work" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "$package=$version")
  dpkg-deb --fsys-tarfile "$work"/*.deb | tar -xO "./usr/src/$package.tar.xz" |
    tar -xJ -C "$work/source" --strip-components=1 --exclude='*/arch/*/boot/dts/*' --exclude='*/tools/testing/*' --exclude='*/tools/perf/*' "${skip[@]}"
  rm "$work"/*.deb
}

configure() {
  local line
  make -s -C "$work/source" ARCH=um O="$work/object" tinyconfig >/dev/null
  (cd "$work/object" && "$work/source/scripts/kconfig/merge_config.sh" -m -O . .config "$here/uml.config" >/dev/null)
  make -s -C "$work/source" ARCH=um O="$work/object" olddefconfig >/dev/null
  while read -r line; do
    grep -qxF "$line" "$work/object/.config" || die "the kernel's Kconfig did not take '$line' of uml.config"
  done < <(grep '^CONFIG_' "$here/uml.config")
}

build() {
  work=$cache/build
  trap 'rm -rf "$work"' EXIT
  rm -rf "$work"
  mkdir -p "$work/source" "$work/object"
  say "fetching and unpacking $package $version"
  unpack
  patch -s -d "$work/source" -p1 <"$here/uml-gpio-sim.patch"
  configure
  say "compiling (two and a half minutes on two idle cores)"
  make -s -C "$work/source" ARCH=um O="$work/object" -j"$(nproc)" linux </dev/null >"$cache/build.log" 2>&1 ||
    { tail -n 30 "$cache/build.log" >&2; die "the build failed; all of its output is in $cache/build.log"; }
  strip -o "$kernel.new" "$work/object/linux"
  mv "$kernel.new" "$kernel"
  echo "$key" >"$kernel.key"
}

programs() {
  ensure /lib/systemd/systemd:systemd systemctl:systemd udevadm:udev gpiomon:gpiod ip:iproute2 kmod:kmod strace:strace taskset:util-linux stty:coreutils \
    /usr/include/gpiod.h:libgpiod-dev man:man-db mandoc:mandoc zsh:zsh fish:fish /bin/kill:procps mosquitto:mosquitto openssl:openssl
}

case ${1:-} in
  --programs) programs; exit 0 ;;
  '') ;;
  *) die "unknown argument '$1'; usage: build.sh [--programs]" ;;
esac

programs
mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8

version=$(candidate)
recipe=$({ declare -f unpack configure build; cat "$here/uml.config" "$here/uml-gpio-sim.patch"; } | sha256sum | cut -c1-16)
# A machine whose package lists are gone keeps the kernel that it has.
if [ -x "$kernel" ] && [[ $(cat "$kernel.key" 2>/dev/null) == ${version:-*}" $recipe" ]]; then
  echo "$kernel"
  exit 0
fi

ensure gcc:gcc make:make flex:flex bison:bison bc:bc xz:xz-utils patch:patch strip:binutils /usr/include/stdio.h:libc6-dev
update_lists
version=$(candidate)
[ -n "$version" ] || die "no package $package: the test kernel is built from the source package of Debian 12 (bookworm)"
key="$version $recipe"
build
say "built from $package $version"
echo "$kernel"
