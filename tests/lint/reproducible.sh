#!/bin/sh
# reproducible.sh SOURCE DLL LIBRARIES BUILD-TYPE SMALL: builds the unsigned DLL again, from a copy of the source in another
# folder, and gets the same bytes.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
other=$work/another-folder/of-another-name
mkdir -p "$other"
cp -r "$1/CMakeLists.txt" "$1/cmake" "$1/include" "$1/src" "$other"

quietly() {
    "$@" >"$work/log" 2>&1 || {
        cat "$work/log"
        exit 1
    }
}
quietly cmake -S "$other" -B "$other/out" -G Ninja "-DCMAKE_BUILD_TYPE=$4" "-DAKVEKM_SMALL=$5" -DAKVEKM_TESTS=OFF \
    "-DCMAKE_TOOLCHAIN_FILE=$other/cmake/windows/toolchain.cmake" "-DAKVEKM_WINDOWS_LIBRARIES=$3"
quietly cmake --build "$other/out" --target akvekm

cmp "$other/out/unsigned/akvekm.dll" "$2"
