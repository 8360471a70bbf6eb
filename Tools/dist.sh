#!/usr/bin/env bash
# Packs the tool for machines without a Swift toolchain: its Swift runtime is linked in, the system
# libraries (oneDNN, LAPACK, zlib, SQLite) are not.
set -euo pipefail
cd "$(dirname "$0")/.."

build=(swift build -c release --scratch-path .build/dist --product espalier)
# macOS carries the Swift runtime itself.
[ "$(uname -s)" = Darwin ] || build+=(--static-swift-stdlib)
"${build[@]}"
binary=$("${build[@]}" --show-bin-path)/espalier

name="espalier-$("$binary" --version)-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)"
rm -rf "dist/$name" "dist/$name.tar.gz"
mkdir -p "dist/$name"
install -m 755 "$binary" "dist/$name/espalier"
[ "$(uname -s)" = Darwin ] || strip --strip-debug "dist/$name/espalier"
cp LICENSE README.md CHANGELOG.md "dist/$name/"
tar -C dist -czf "dist/$name.tar.gz" "$name"
rm -rf "dist/${name:?}"
ls -lh "dist/$name.tar.gz"
