#!/usr/bin/env bash
# Regenerates Sources/EspalierONNX/Proto/onnx.pb.swift from onnx.proto.
#
# Needs protoc (Debian: protobuf-compiler), git and the Swift toolchain. The plugin is built outside the tree, from
# the swift-protobuf version below: keep it equal to the version Package.swift starts from, since generated code
# works with the runtime of its own version or a newer one.
set -euo pipefail

version=1.39.0
cd "$(dirname "$0")/.."
command -v protoc >/dev/null || { echo "protoc is missing: apt-get install protobuf-compiler" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "${PROTOC_GEN_SWIFT:-}" ]; then
    plugin=$PROTOC_GEN_SWIFT
else
    git clone -c advice.detachedHead=false --quiet --depth 1 --branch "$version" \
        https://github.com/apple/swift-protobuf "$work/swift-protobuf"
    swift build --package-path "$work/swift-protobuf" -c release --product protoc-gen-swift
    plugin=$work/swift-protobuf/.build/release/protoc-gen-swift
fi

folder=Sources/EspalierONNX/Proto
protoc --plugin=protoc-gen-swift="$plugin" --proto_path="$folder" \
    --swift_opt=Visibility=Internal --swift_opt=UseAccessLevelOnImports=true \
    --swift_out="$folder" onnx.proto
echo "wrote $folder/onnx.pb.swift"
