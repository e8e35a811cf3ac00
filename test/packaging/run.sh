#!/bin/bash
# run.sh: `npm run test:packaging`, the npm package as users get it: packed, looked into, installed, and used where no compiler is.
#
# Needs `npm ci` before, and npm's registry for the libraries. Everything happens in a temporary directory.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
stage=$(mktemp -d)
made_prebuilds=
clean_up() {
  rm -rf "$stage"
  [ -z "$made_prebuilds" ] || rm -rf "$root/prebuilds"
}
trap clean_up EXIT

fail() { echo "test:packaging: $*" >&2; exit 1; }
# expect NAME TEXT PATTERN: the text of a command, by an extended regular expression.
expect() { grep -Eq -- "$3" <<<"$2" || fail "$1: no '$3' in:"$'\n'"$2"; }

pack() {
  [ -e "$root/dist/daemon/main.js" ] || fail 'nothing is built: run npm run build first'
  if [ ! -e "$root/prebuilds" ]; then
    made_prebuilds=1
    (cd "$root" && npm run --silent prebuilds -- "$root" "$(node -p process.arch)")
  fi
  # Without its scripts: prepare would build anew what may be in use.
  (cd "$root" && npm pack --silent --ignore-scripts --pack-destination "$stage" >/dev/null)
  tarball=$(echo "$stage"/gpio-irqd-*.tgz)
}

contents() {
  local list unwanted path
  list=$(tar -tzf "$tarball" | sed 's,^package/,,' | sort)
  unwanted=$(grep -E '(^|/)(test|bench|node_modules|\.ci|\.git)/|\.spec\.|\.kernel\.|\.systemd\.|spec-helper|\.map$|\.cache$|(^|/)\.env|tsbuildinfo' <<<"$list" |
    grep -v '^examples/ci/test/' || true)
  [ -z "$unwanted" ] || fail "these have no business in the package:"$'\n'"$unwanted"
  unwanted=$(grep -E '\.ts$' <<<"$list" | grep -vE '\.d\.ts$|^examples/' || true)
  [ -z "$unwanted" ] || fail "sources that are not shipped:"$'\n'"$unwanted"
  for path in package.json LICENSE README.md CHANGELOG.md SECURITY.md binding.gyp drivers/chardev/addon/ systemd/addon/ prebuilds/linux- \
    dist/daemon/main.js dist/daemon/ctl.js dist/kernel/index.js dist/drivers/index.d.ts dist/sim-fallback/index.js dist/testing/index.js \
    dist/systemd/install.js systemd/gpio-irqd.service systemd/gpio-irqd.sysusers.conf systemd/99-gpio-irqd.rules \
    systemd/drop-ins/network.conf examples/button-led.yaml docs/security.md; do
    grep -q "^$path" <<<"$list" || fail "$path is not in the package"
  done
  # All that package.json points to is there.
  for path in $(node -p "const p = require('$root/package.json'); [Object.values(p.bin), Object.values(p.exports).flatMap((e) => typeof e === 'string' ? e : Object.values(e))].flat().join(' ')"); do
    grep -qxF "${path#./}" <<<"$list" || fail "package.json names $path, which is not in the package"
  done
  echo "contents: $(wc -l <<<"$list") files, $(stat -c %s "$tarball") bytes packed"
}

# A PATH with Node, npm and the shell, and no compiler.
bare_path() {
  local name program
  mkdir "$stage/bin"
  for name in node npm sh env; do
    program=$(readlink -f "$(command -v "$name")")
    ln -s "$program" "$stage/bin/$name"
  done
}

# use NAME NPM-OPTION...: installs the package into an empty project, and uses it.
use() {
  local name=$1 home=$stage/$1 bin=$stage/$1/node_modules/.bin
  shift
  mkdir "$home"
  (
    cd "$home"
    PATH=$stage/bin
    export PATH
    npm init --yes >init.log
    npm install --loglevel=error --no-audit --no-fund --prefer-offline "$@" "$tarball"
  )
  export PATH=$stage/bin:$PATH
  local examples=$home/node_modules/gpio-irqd/examples
  [ ! -e "$home/node_modules/gpio-irqd/build" ] || fail "$name: the addon was compiled"
  expect "$name: version" "$("$bin/gpio-irqd" --version)" "^$(node -p "require('$root/package.json').version")\$"
  expect "$name: ctl version" "$("$bin/gpio-irqctl" --version)" '^[0-9]'
  for example in "$examples"/*.yaml; do
    expect "$name: check" "$(cd "$home" && "$bin/gpio-irqd" check --config "$example" 2>&1 || true)" ': ok \('
  done
  demo "$name: demo"
  keep_code "$name"
  (cd "$examples/ci" && "$bin/gpio-irqd" replay scenarios/visitor.yaml --config gpio-irqd.yaml --expect scenarios/visitor.trace.jsonl >"$home/replay.log" 2>&1) ||
    fail "$name: replay: $(cat "$home/replay.log")"
  (cd "$home" && node --input-type=module -e "$imports") || fail "$name: imports"
  echo "$name: installed and used"
}

# demo NAME: of the package that `use` has installed.
demo() {
  expect "$1" "$("$bin/gpio-irqd" run --demo --driver sim --config "$examples/button-led.yaml" --socket "$home/control.sock" 2>&1)" 'gpiomod#button1'
}

# What V8 compiles is kept for starts; one whose file has lost its second half does without.
keep_code() {
  local dist=$home/node_modules/gpio-irqd/dist/daemon file
  expect "$1: kept code" "$(node "$dist/warm.js" 2>&1; ls "$dist"/start_*.cache | wc -l)" '^2$'
  demo "$1: demo with kept code"
  for file in "$dist"/start_*.cache; do
    truncate -s $(($(stat -c %s "$file") / 2)) "$file"
    truncate -s "$((2 * $(stat -c %s "$file")))" "$file"
  done
  demo "$1: demo with damaged code"
}

imports='
  import { readFileSync } from "node:fs";
  const { exports } = JSON.parse(readFileSync("node_modules/gpio-irqd/package.json", "utf8"));
  for (const [path, target] of Object.entries(exports)) {
    // What has types alone is for the editor.
    if (!(typeof target === "string" ? target : (target.default ?? "")).endsWith(".js")) continue;
    const found = await import(path.replace(/^\./, "gpio-irqd"));
    if (Object.keys(found).length === 0) throw new Error(`${path} exports nothing`);
  }
  // The addon, found without a compiler: only it knows what the kernel said.
  const { openChardev } = await import("gpio-irqd/drivers");
  try { openChardev("/dev/null"); } catch (error) { if (error.code !== "ENOTTY") throw error; }
'

pack
contents
bare_path
use with-optional
use without-optional --omit=optional
echo 'test:packaging: all passed'
