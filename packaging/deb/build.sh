#!/bin/bash
# build.sh: a Debian package of gpio-irqd, with the libraries that it runs with and the addon of its architecture.
#
#   npm run package:deb [-- [--arch amd64|arm64|armhf] [--out DIRECTORY]]      # default: this machine's, packaging/out
#
# Needs `npm ci` and `npm run build` before, dpkg-deb, and a compiler for the architecture (drivers/chardev/prebuild.sh). Prints
# the package's path as its last line. The same commit gives the same package. DEBFULLNAME and DEBEMAIL name who packages.
#
# armhf is Debian's, ARMv7: not for a Pi Zero or 1, on which npm builds the addon when it installs.
# Left out are node-libgpiod and onoff: npm compiles them where they are installed. For them, install with npm.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/packaging/out
arch=$(dpkg --print-architecture)

die() { echo "package:deb: $*" >&2; exit 1; }

while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || die "$1 needs a value"
  case $1 in
    --arch) arch=$2 ;;
    --out) out=$2 ;;
    *) die "unknown argument '$1'; usage: build.sh [--arch ARCH] [--out DIRECTORY]" ;;
  esac
  shift 2
done
case $arch in
  amd64) cpu=x64 triplet=x86_64-linux-gnu ;;
  arm64) cpu=arm64 triplet=aarch64-linux-gnu ;;
  armhf) cpu=arm triplet=arm-linux-gnueabihf ;;
  *) die "no architecture '$arch': amd64, arm64 or armhf" ;;
esac

version=$(node -p "require('$root/package.json').version")-1
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
maintainer="${DEBFULLNAME:-gpio-irqd maintainers} <${DEBEMAIL:-maintainers@gpio-irqd.invalid}>"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
package=$stage/package
library=$package/usr/lib/gpio-irqd
doc=$package/usr/share/doc/gpio-irqd
umask 022

# place MODE SOURCE TARGET: one file of the package.
place() { install -D -m "$1" "$2" "$package/$3"; }
# compressed SOURCE TARGET: as place, but without the time and the name that gzip would note.
compressed() { mkdir -p "$(dirname "$package/$2")" && gzip -9n <"$1" >"$package/$2"; }

program() {
  local program
  [ -e "$root/dist/daemon/main.js" ] || die 'nothing is built: run npm run build first'
  mkdir -p "$library"
  cp -r "$root/dist" "$library"
  # Units, users and rules are dpkg's business here.
  rm -f "$library"/dist/systemd/install*
  find "$library/dist" \( -name '*.map' -o -name '*.cache' \) -delete
  # Debian's own Node, whatever PATH says.
  for program in main ctl; do
    sed -i '1s,^#!/usr/bin/env node$,#!/usr/bin/node,' "$library/dist/daemon/$program.js"
    chmod 755 "$library/dist/daemon/$program.js"
    rm -f "$library/dist/daemon/$program.d.ts"
  done
  mkdir -p "$package/usr/bin"
  ln -s ../lib/gpio-irqd/dist/daemon/main.js "$package/usr/bin/gpio-irqd"
  ln -s ../lib/gpio-irqd/dist/daemon/ctl.js "$package/usr/bin/gpio-irqctl"
}

# The libraries, of the versions of the lock file, for that architecture, without what only compiling and typing needs.
libraries() {
  local npm=$stage/npm
  mkdir "$npm"
  cp "$root/package.json" "$root/package-lock.json" "$npm"
  (
    cd "$npm"
    npm pkg delete optionalDependencies.node-libgpiod optionalDependencies.onoff optionalDependencies.systemd-notify devDependencies scripts
    npm install --silent --omit=dev --ignore-scripts --no-audit --no-fund --prefer-offline --os=linux --cpu="$cpu" --libc=glibc
  )
  cp "$root/package.json" "$library"
  mv "$npm/node_modules" "$library"
  (
    cd "$library/node_modules"
    rm -rf .bin .package-lock.json @types undici-types
    find . -depth -type d \( -name test -o -name tests -o -name __tests__ -o -name benchmark -o -name benchmarks -o -name .github \) -exec rm -rf {} +
    find . -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.md' -o -name '.*' \) \
      ! -iname 'licen[cs]e*' ! -iname 'copying*' -delete
    # Programs of the libraries, their pages and settings for their makers, and what is for another libc.
    find . -type f \( -name '*.html' -o -name '*.sh' -o -path '*/.*/*' -o -path '*/musl_*' \) -delete
    grep -rlIZ -m 1 '^#!' . | xargs -0 -r -n 1 sh -c 'case $(head -c 2 "$1") in "#!") rm "$1" ;; esac' sh
    find . -type f -exec chmod 644 {} +
    find . -type d -empty -delete
  )
}

addon() {
  # By its place the program knows where its addon is.
  cp "$root/binding.gyp" "$library"
  (cd "$root" && npm run --silent prebuilds -- "$library" "$cpu")
  find "$library" -name '*.node' -exec chmod 644 {} +
}

# Where the schema for editors is, in the first line of configurations.
name_schema() {
  sed -i '1s,schema=[./]*/schemas/,schema=/usr/share/gpio-irqd/schemas/,' "$@"
}

system_files() {
  local unit=$package/lib/systemd/system/gpio-irqd.service
  place 644 "$root/systemd/gpio-irqd.service" lib/systemd/system/gpio-irqd.service
  sed -i -e '/^ExecStart=/s,=[^ ]* [^ ]*,=/usr/bin/node /usr/lib/gpio-irqd/dist/daemon/main.js,' \
    -e '1s,\..*,.,' -e '/^Documentation=/s,man:systemd.service(5),man:gpio-irqd(8),' "$unit"
  place 644 "$root/systemd/gpio-irqd.sysusers.conf" usr/lib/sysusers.d/gpio-irqd.conf
  place 644 "$root/systemd/99-gpio-irqd.rules" lib/udev/rules.d/99-gpio-irqd.rules
  place 644 "$root/examples/button-led.yaml" etc/gpio-irqd/config.yaml
  place 644 "$root/schemas/gpio-irqd.schema.json" usr/share/gpio-irqd/schemas/gpio-irqd.schema.json
  name_schema "$package/etc/gpio-irqd/config.yaml"
}

documentation() {
  local page completions=$root/completions
  mkdir -p "$doc"
  place 644 "$here/copyright" usr/share/doc/gpio-irqd/copyright
  { licences; } >>"$doc/copyright"
  compressed "$root/CHANGELOG.md" usr/share/doc/gpio-irqd/changelog.gz
  printf 'gpio-irqd (%s) unstable; urgency=medium\n\n  * Version %s; changelog.gz tells what is new.\n\n -- %s  %s\n' \
    "$version" "${version%-*}" "$maintainer" "$(date --utc -R -d "@$SOURCE_DATE_EPOCH")" >"$stage/changelog"
  compressed "$stage/changelog" usr/share/doc/gpio-irqd/changelog.Debian.gz
  place 644 "$root/README.md" usr/share/doc/gpio-irqd/README.md
  (cd "$root" && find docs examples -type f ! -path 'docs/tools/*' ! -name '*.spec.ts' -exec install -D -m 644 {} "$doc/{}" \;)
  name_schema "$doc"/examples/*.yaml "$doc"/examples/*/*.yaml
  place 644 "$root/systemd/drop-ins/network.conf" usr/share/doc/gpio-irqd/examples/network.conf
  for page in "$root"/man/*.[1-8]; do
    [ ! -e "$page" ] || compressed "$page" "usr/share/man/man${page##*.}/$(basename "$page").gz"
  done
  [ -d "$completions" ] || return 0
  for page in gpio-irqd gpio-irqctl; do
    [ ! -e "$completions/$page.bash" ] || place 644 "$completions/$page.bash" "usr/share/bash-completion/completions/$page"
    [ ! -e "$completions/_$page" ] || place 644 "$completions/_$page" "usr/share/zsh/vendor-completions/_$page"
    [ ! -e "$completions/$page.fish" ] || place 644 "$completions/$page.fish" "usr/share/fish/vendor_completions.d/$page.fish"
  done
}

# A stanza for each library, with the text of its licence, which is then not needed a second time beside it.
licences() {
  local manifest directory text found=$stage/licences
  find "$library/node_modules" -name package.json | sort | while read -r manifest; do
    directory=$(dirname "$manifest")
    case $(basename "$(dirname "$directory")") in node_modules | @*) ;; *) continue ;; esac
    text=$(find "$directory" -maxdepth 1 -iname 'licen[cs]e*' -o -maxdepth 1 -iname 'copying*' | sort | head -n 1)
    printf '%s\t%s\t%s\n' "$manifest" "${directory#"$package/"}" "$text"
  done >"$found"
  node "$here/licence.mjs" <"$found"
  cut -f3 "$found" | xargs -d '\n' rm -f
}

control() {
  local name
  mkdir -p "$package/DEBIAN"
  sed -e "s|@VERSION@|$version|; s|@ARCH@|$arch|; s|@MAINTAINER@|$maintainer|" \
    -e "s|@SIZE@|$(du -k -s --apparent-size "$package" | cut -f1)|" "$here/control.in" >"$package/DEBIAN/control"
  echo /etc/gpio-irqd/config.yaml >"$package/DEBIAN/conffiles"
  echo 'interest-noawait /usr/bin/node' >"$package/DEBIAN/triggers"
  for name in postinst prerm postrm; do place 755 "$here/$name" "DEBIAN/$name"; done
  place 644 "$here/lintian-overrides" usr/share/lintian/overrides/gpio-irqd
  (cd "$package" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
}

program
libraries
addon
find "$library" -name '*.node' -exec "$([ "$arch" = "$(dpkg --print-architecture)" ] && echo strip || echo "$triplet-strip")" --strip-unneeded {} +
system_files
documentation
control
find "$package" -type d -exec chmod 755 {} +
find "$package" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
file=$(cd "$out" && pwd)/gpio-irqd_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz --build "$package" "$file" >/dev/null
echo "$file"
