#!/usr/bin/env bash
# Compiles the oneDNN shim against the headers of oneDNN 3 and against the system's, without linking: most systems have
# only one of the two versions installed, and the shim is for both.
#
#   ONEDNN3_INCLUDE   a folder with oneDNN 3's dnnl.h; if unset, the headers come from the PyPI wheel onednn-devel
#   ONEDNN3_CACHE     where the wheel is kept (default: espalier/onednn-devel in the user's cache folder)
#   ONEDNN3_WHEEL     the wheel to take, such as onednn-devel==2025.0.0 (default: the one last tested with)
#   PYTHON, CLANG     the programs to use (default: python3, clang)
set -euo pipefail

python=${PYTHON:-python3}
clang=${CLANG:-clang}
wheel=${ONEDNN3_WHEEL:-onednn-devel==2026.1.0}
cache=${ONEDNN3_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/espalier/onednn-devel}
sources=$(cd "$(dirname "$0")/../Sources/COneDNN" && pwd)

fail() {
    echo "shim-v3: $*" >&2
    exit 1
}

command -v "$clang" >/dev/null || fail "no $clang: set CLANG to the C compiler of your Swift toolchain"

# Sets `headers` to a folder with oneDNN 3's dnnl.h.
find_headers() {
    if [ -n "${ONEDNN3_INCLUDE:-}" ]; then
        [ -f "$ONEDNN3_INCLUDE/dnnl.h" ] || fail "ONEDNN3_INCLUDE=$ONEDNN3_INCLUDE has no dnnl.h"
        headers=$ONEDNN3_INCLUDE
        return
    fi
    local folder=$cache/${wheel//[^A-Za-z0-9._-]/_}
    if [ ! -d "$folder" ]; then
        command -v "$python" >/dev/null || fail "no $python: set PYTHON, or ONEDNN3_INCLUDE to a folder with dnnl.h"
        mkdir -p "$cache"
        staging=$(mktemp -d "$cache/download.XXXXXX")
        trap 'rm -rf "$staging"' EXIT
        # Headers are the same for all platforms; the wheel exists for this one.
        if ! "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
            --platform manylinux_2_28_x86_64 --dest "$staging" "$wheel" >"$staging/log" 2>&1; then
            cat "$staging/log" >&2
            fail "pip could not download $wheel: is the package index reachable? Otherwise set ONEDNN3_INCLUDE to" \
                "a folder with oneDNN 3's dnnl.h"
        fi
        mkdir "$staging/wheel"
        "$python" -m zipfile -e "$staging"/*.whl "$staging/wheel" || fail "$wheel is not a wheel"
        # A rename, so that an interrupted run leaves nothing that looks complete.
        mv "$staging/wheel" "$folder"
    fi
    local found
    found=$(find "$folder" -name dnnl.h -not -path '*/oneapi/*' | head -n 1)
    [ -n "$found" ] || fail "$wheel has no dnnl.h: remove $folder and try again"
    headers=$(dirname "$found")
}

# The version that the headers under the given include flags say they are.
version_of() {
    printf '#include <dnnl_version.h>\nDNNL_VERSION_MAJOR.DNNL_VERSION_MINOR\n' |
        "$clang" -E -P "$@" -x c - | tail -n 1 | tr -d ' '
}

# Checks every file of the shim: a name for messages, then the include flags.
compile() {
    local name=$1 file
    shift
    for file in "$sources"/*.c; do
        "$clang" -std=c11 -Wall -Wextra -Werror -fsyntax-only "$@" "$file" ||
            fail "$(basename "$file") does not compile against oneDNN $name"
    done
    echo "shim-v3: compiles against oneDNN $name"
}

find_headers
version=$(version_of -isystem "$headers") || fail "no dnnl_version.h in $headers"
case $version in
3.*) ;;
*) fail "the headers in $headers are of oneDNN $version, not 3" ;;
esac
compile "$version" -isystem "$headers"

if system=$(version_of 2>/dev/null); then
    compile "$system (the system's)"
else
    fail "the system has no oneDNN headers (Debian: libdnnl-dev, Homebrew: onednn)"
fi
