#!/usr/bin/env bash
# Checks that a program outside of this package can use the library: compiles Tests/Client against what was built, where
# only what is public is seen. Tests are inside the package, and see more.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$(swift build -c release --show-bin-path)
[ -f "$bin/Modules/Espalier.swiftmodule" ] || { echo "client: first make test, or make build" >&2; exit 1; }
maps=()
for map in Sources/*/module.modulemap "$bin"/C*.build/module.modulemap \
    .build/checkouts/GRDB.swift/Sources/GRDBSQLite/module.modulemap; do
    [ -f "$map" ] && maps+=(-Xcc "-fmodule-map-file=$map")
done
check() { swiftc -typecheck -swift-version 6 -I "$bin/Modules" "${maps[@]}" "$@"; }

check Tests/Client/main.swift
# It does see no more.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf 'import Espalier\nlet pipeline: PrunePipeline? = nil\n' >"$scratch/inside.swift"
if check "$scratch/inside.swift" 2>/dev/null; then
    echo "client: a program outside of the package sees what is not public" >&2
    exit 1
fi
