#!/usr/bin/env bash
# The style checks: swift-format, and the few house rules which it does not know.
set -euo pipefail
cd "$(dirname "$0")/.."

# Swift files, without what protoc generated; arguments as for find.
files() { find "$@" -name '*.swift' ! -name '*.pb.swift' -print0; }

# refuse PATTERN REASON < FILES: fails if a line of code (not a comment) matches.
refuse() {
    local hits
    hits=$(xargs -0 grep -nHE "$1" /dev/null | grep -vE '^[^:]+:[0-9]+: *//' || true)
    if [ -n "$hits" ]; then
        printf '%s\nlint: %s\n' "$hits" "$2" >&2
        return 1
    fi
}

failed=0
files Sources Tests Package.swift | xargs -0 swift format lint --strict --parallel || failed=1

files Sources ! -path '*/EspalierCommands/*' ! -path '*/EspalierTool/*' ! -path '*/EspalierBenchmarks/*' \
    | refuse '(^|[^.[:alnum:]_])(print|debugPrint|dump)\(' 'only the commands and the benchmarks print' || failed=1
files Sources \
    | refuse '(\bfatalError\(|\btry!|\bas! )' 'throw an error which says what, where and what to do' || failed=1
files Tests | refuse '@testable' 'tests run on release builds: use package access' || failed=1
files Package.swift | refuse 'unsafeFlags' 'unsafe flags bar a package from being a dependency' || failed=1

exit $failed
