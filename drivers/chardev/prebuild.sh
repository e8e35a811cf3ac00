#!/bin/bash
# Builds the addon for x64, arm64 and arm (ARMv7) with Debian's cross compilers, as the package ships it.
#
#   npm run prebuilds [-- OUT [ARCH]]     # default OUT: this package's folder, all three; writes OUT/prebuilds/linux-*/
#
# By npm, since npm brings node-gyp.
# A Pi with an ARMv6 (Zero, 1) builds on install: code of ARMv7 would not run there, and node-gyp-build takes none.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=$(mkdir -p "${1:-$root}" && cd "${1:-$root}" && pwd)
only=${2:-}
# node-gyp builds in the folder of the package, where the addon of this machine lies.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/drivers/chardev" "$work/systemd"
cp "$root/package.json" "$root/binding.gyp" "$work"
cp -r "$root/drivers/chardev/addon" "$work/drivers/chardev"
cp -r "$root/systemd/addon" "$work/systemd"
ln -s "$root/node_modules" "$work/node_modules"

# prebuild ARCH GNU-TRIPLET [OPTION...]
prebuild() {
  local arch=$1 prefix=$2-
  [ -z "$only" ] || [ "$only" = "$arch" ] || return 0
  if [ "$arch" = "$(node -p process.arch)" ]; then
    prefix=
  elif ! command -v "${prefix}gcc" >/dev/null; then
    echo "prebuild: no compiler for $arch; Debian has it in the package gcc-${2//_/-}" >&2
    exit 1
  fi
  echo "prebuild: $arch"
  (cd "$work" && CC=${prefix}gcc CXX=${prefix}g++ LINK=${prefix}gcc PREBUILD_ARMV=7 \
    "$root/node_modules/.bin/prebuildify" --napi --target 20.19.0 --arch "$arch" "${@:3}" --tag-libc \
    --strip --strip-bin "${prefix}strip" --out "$out" >"$work/log" 2>&1) || { cat "$work/log" >&2; exit 1; }
}

prebuild x64 x86_64-linux-gnu
prebuild arm64 aarch64-linux-gnu
prebuild arm arm-linux-gnueabihf --tag-armv
