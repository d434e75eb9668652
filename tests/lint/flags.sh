#!/bin/sh
# flags.sh SOURCE [--build]: the builder's own flags reach the compiler, and no flag of the project overrules them. With --build
# it also builds each such library, and checks its exports and its calls of the C library's checked functions.
set -eu

source=$1
build=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    printf 'flags: %s\n' "$*"
    failed=1
}

quietly() {
    "$@" >"$work/log" 2>&1 || {
        cat "$work/log"
        exit 1
    }
}

# configure NAME [OPTION...]: then `commands` holds the compiler's command lines of the library.
configure() {
    name=$1
    shift
    quietly cmake -S "$source" -B "$work/$name" -G Ninja -DAKVEKM_TESTS=OFF "$@"
    grep '"command"' "$work/$name/compile_commands.json" >"$work/commands"
    [ -z "$build" ] || quietly cmake --build "$work/$name"
}

every() {
    [ "$(grep -c -e "$1" "$work/commands")" = "$(wc -l <"$work/commands")" ] || complain "$name: not every command has $1"
}

none() {
    ! grep -q -e "$1" "$work/commands" || complain "$name: $(grep -o -m 1 -e "$1" "$work/commands" | head -n 1) is there"
}

configure default
every ' -D_FORTIFY_SOURCE=3'
every ' -fstack-protector-strong'
none ' -Werror'

configure werror -DAKVEKM_WERROR=ON
every ' -Werror'

configure release -DCMAKE_BUILD_TYPE=Release
every ' -O3 '
none ' -Os'
every ' -D_FORTIFY_SOURCE=3'

configure level "-DCMAKE_C_FLAGS=-O2 -D_FORTIFY_SOURCE=1 -fstack-protector-all"
none ' -O[s013]'
none '_FORTIFY_SOURCE=[23]'
none ' -U_FORTIFY_SOURCE'
none ' -fstack-protector-strong'

if command -v dpkg-buildflags >/dev/null 2>&1; then
    DEB_BUILD_MAINT_OPTIONS='hardening=+all optimize=+lto'
    export DEB_BUILD_MAINT_OPTIONS
    configure debian -DCMAKE_BUILD_TYPE=None "-DCMAKE_MODULE_LINKER_FLAGS=$(dpkg-buildflags --get LDFLAGS)" \
        "-DCMAKE_C_FLAGS=$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
    every ' -O2 '
    none ' -Os'
    every ' -flto=auto'
    [ "$(sed 's/.*_FORTIFY_SOURCE=\([0-9]\).*/\1/' "$work/commands" | sort -u)" = 3 ] || complain 'debian: the level of FORTIFY is not 3'
    if [ -n "$build" ] && ! nm -D "$work/debian/libakvekm.so" | grep -q '_chk'; then
        complain 'debian: the library calls none of the checked functions'
    fi
fi

# As a part of another project: no tests, and its options stay.
mkdir "$work/parent"
cat >"$work/parent/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.20)
project(parent LANGUAGES C)
add_subdirectory("$source" akv-ekm)
if(TARGET vaultsim OR NOT TARGET akvekm)
    message(FATAL_ERROR "the library alone is expected")
endif()
CMAKE
quietly cmake -S "$work/parent" -B "$work/parent/build" -G Ninja
[ -z "$build" ] || quietly cmake --build "$work/parent/build"

exit "$failed"
