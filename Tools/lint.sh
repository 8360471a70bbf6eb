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

# Fails if what a target imports of this package's modules is not what Package.swift lists for it. Programs are listed to be run.
dependencies() {
    local import='((public|package|internal|private|fileprivate) )?import ((struct|class|enum|protocol|func|let|var|typealias) )?'
    local wrong
    # Tests/Client is no target, but a program outside of the package.
    wrong=$(grep -rHoE --include='*.swift' --exclude-dir=Client "^ *(@[a-zA-Z_]+ )*${import}[A-Za-z0-9_]+" Sources Tests | awk '
        # In Package.swift the first string of a target is its name, and others that name targets are what it lists.
        NR == FNR {
            if (/^    targets: \[/) inside = 1
            if (/^    \]/) inside = 0
            while (inside && match($0, /(module|tests|systemLibrary|[a-zA-Z]*[tT]arget)\(|"[^"]*"/)) {
                word = substr($0, RSTART, RLENGTH)
                $0 = substr($0, RSTART + RLENGTH)
                if (word ~ /\($/) {
                    kind = word
                    target = ""
                    continue
                }
                gsub(/"/, "", word)
                if (target == "") {
                    target = kind == "tests(" ? word "Tests" : word
                    targets[target]
                    if (kind == "executableTarget(") programs[target]
                    if (kind == "tests(") listed[target, word]
                } else if (word ~ /^(Sources|Tests)\//) {
                    target_in[word] = target
                } else {
                    listed[target, word]
                }
            }
            next
        }
        {
            split($1, path, "[/:]")
            folder = path[1] "/" path[2]
            imported[folder in target_in ? target_in[folder] : path[2], $NF]
        }
        END {
            for (pair in imported) if (!(pair in listed)) tell(pair, "imports", "which is not listed for it")
            for (pair in listed) if (!(pair in imported)) tell(pair, "lists", "which no file of it imports")
        }
        function tell(pair, does, wrong,   name) {
            split(pair, name, SUBSEP)
            if (name[2] in targets && !(name[2] in programs)) print name[1] " " does " " name[2] ", " wrong
        }' Package.swift - | sort)
    if [ -n "$wrong" ]; then
        printf '%s\nlint: %s\n' "$wrong" 'Package.swift is the architecture: a target lists what it imports' >&2
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
dependencies || failed=1

exit $failed
