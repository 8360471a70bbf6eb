#!/usr/bin/env bash
# Checks that this machine can build Espalier, and installs the system libraries that are missing.
#
#   Tools/setup.sh [DEBIAN-PACKAGE...]     the packages named are wanted besides the libraries below
#   NO_INSTALL=1 Tools/setup.sh            only prints the command that would install what is missing
#
# Takes well under a second when everything is there. Exits 0 if it is, 1 with a list of what is not.
set -euo pipefail

swift_minimum=6.2

# The one list of system libraries: how to see that it is there | Debian package | Homebrew formula.
# No formula: macOS has it.
requirements=(
    "command:git|git|git"
    "command:pkg-config|pkg-config|pkgconf"
    "header:oneapi/dnnl/dnnl.h|libdnnl-dev|onednn"
    "library:lapack|liblapack-dev|"
    "header:zlib.h|zlib1g-dev|"
    "header:sqlite3.h|libsqlite3-dev|"
)

say() { printf 'setup: %s\n' "$*" >&2; }

# --- The toolchain, which no package manager here can give ---

check_swift() {
    local advice="Swift $swift_minimum or newer is needed: get it from https://www.swift.org/install and put its"
    advice+=" usr/bin folder on PATH."
    if ! command -v swift >/dev/null; then
        say "no 'swift' on PATH. $advice"
        return 1
    fi
    local found
    found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    if [ -z "$found" ]; then
        say "$(command -v swift) does not tell its version; 'swift --version' shows why. $advice"
        return 1
    fi
    if [ "$(printf '%s\n%s\n' "$swift_minimum" "$found" | sort -V | head -n 1)" != "$swift_minimum" ]; then
        say "$(command -v swift) is Swift $found. $advice"
        return 1
    fi
}

# --- Seeing what is there ---

on_macos() { [ "$(uname -s)" = Darwin ]; }

compiler() { # stdin: a C source; arguments: flags
    local flags=()
    if on_macos && command -v brew >/dev/null; then
        flags+=("-I$(brew --prefix)/include" "-L$(brew --prefix)/lib")
    fi
    clang -x c - ${flags[@]+"${flags[@]}"} "$@" >/dev/null 2>&1
}

is_there() {
    case "$1" in
        command:*) command -v "${1#command:}" >/dev/null ;;
        header:*) printf '#include <%s>\n' "${1#header:}" | compiler -fsyntax-only ;;
        library:*) printf 'int main(void) { return 0; }\n' | compiler -o /dev/null "-l${1#library:}" ;;
    esac
}

is_installed() { # a Debian package
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# --- Installing ---

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

install_with_apt() { # packages
    local log
    log=$(mktemp)
    say "installing $* (this may take a minute)"
    # Lists that are absent or too old are the usual reasons for a failure: fetch them and try once more.
    if compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null \
        && apt install -y --no-install-recommends "$@" >"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    if apt update >>"$log" 2>&1 && apt install -y --no-install-recommends "$@" >>"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
}

# --- The check itself ---

check_swift || exit 1
# Swift's own clang looks for the system's C headers and linker; without them no probe below means anything.
if ! printf '#include <stdio.h>\nint main(void) { return 0; }\n' | compiler -o /dev/null; then
    say "the toolchain's clang cannot build a C program: on Debian 'apt-get install gcc libc6-dev libstdc++-12-dev'"
    exit 1
fi

missing=() debian=() formulas=()
for requirement in "${requirements[@]}"; do
    IFS='|' read -r probe package formula <<<"$requirement"
    if on_macos && [ -z "$formula" ]; then continue; fi
    if is_there "$probe"; then continue; fi
    missing+=("${probe#*:}")
    debian+=("$package")
    formulas+=("$formula")
done
if command -v dpkg-query >/dev/null; then
    for package in "$@"; do
        if ! is_installed "$package"; then missing+=("$package") debian+=("$package"); fi
    done
fi
if [ ${#missing[@]} = 0 ]; then exit 0; fi

say "missing: ${missing[*]}"
if on_macos; then
    say "install with: brew install ${formulas[*]}"
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    say "this system has no apt-get: install its packages that hold the above (on Debian: ${debian[*]})"
    exit 1
fi
command="apt-get install -y --no-install-recommends ${debian[*]}"
if [ "$(id -u)" != 0 ]; then command="sudo $command"; fi
if [ -n "${NO_INSTALL:-}" ]; then
    say "install with: $command"
    exit 1
fi
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    say "not root and no sudo here: have an administrator run: ${command#sudo }"
    exit 1
fi
if ! install_with_apt "${debian[@]}"; then
    say "could not install; try it by hand: $command"
    exit 1
fi
for requirement in "${requirements[@]}"; do
    IFS='|' read -r probe package _ <<<"$requirement"
    if ! is_there "$probe"; then
        say "$package is installed, but ${probe#*:} is still not found"
        exit 1
    fi
done
say "installed ${debian[*]}"
