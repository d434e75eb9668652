#!/bin/sh
# run.sh SOURCE BUILD: tries what package.sh made in SOURCE/dist: the lists, the bytes of a second build, and each package where the
# machine has what it needs (said where it has not). AKVEKM_CHROOTS names a folder with clean systems, bookworm and trixie;
# else they are made by debootstrap in build-package/chroots and kept.
set -eu
LC_ALL=C
export LC_ALL

root=$(CDPATH='' cd -- "$1" && pwd)
build=$(CDPATH='' cd -- "$2" && pwd)
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/akvekm-packages.XXXXXX")
trap 'rm -rf "$work"' EXIT
release=$(basename "$root"/dist/*.deb | sed 's/.*-\([0-9]*\)_.*/\1/')
passed=0
failed=0
skipped=0

try() {
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "package: FAILED: $*"
    fi
}

skip() {
    skipped=$((skipped + 1))
    echo "package: skipped: $*"
}

sums() {
    (cd "$root/dist" && sha256sum --quiet -c SHA256SUMS)
}

# Each package has its list beside it, which is JSON and names the versions that were built.
lists() {
    for package in "$root"/dist/*.deb "$root"/dist/*.rpm "$root"/dist/*.tar.gz "$root"/dist/*.msi "$root"/dist/*.zip; do
        for source in openssl curl cjson; do
            version=$(sed -n "s/^$source //p" "$root/build-private-libs/root/versions.txt")
            grep -qF "\"version\": \"$version\"" "$package.cdx.json" || return 1
        done
        cmake -P "$work/json.cmake" "$package.cdx.json" || return 1
    done
}
cat >"$work/json.cmake" <<'SCRIPT'
file(READ "${CMAKE_ARGV3}" text)
string(JSON count LENGTH "${text}" components)
string(JSON format GET "${text}" bomFormat)
if(NOT count EQUAL 3 OR NOT format STREQUAL CycloneDX)
    message(FATAL_ERROR "${CMAKE_ARGV3}: ${count} components, ${format}")
endif()
SCRIPT

# Built again in other folders, the bytes are the same. Signatures differ: where there are some, nothing is compared.
same_bytes() {
    cmake -S "$root" -B "$work/linux" -G Ninja -DAKVEKM_LIBRARIES=private -DAKVEKM_TESTS=OFF >"$work/log" &&
        cmake --build "$work/linux" >>"$work/log" &&
        cmake -S "$root" -B "$work/windows" -G Ninja "-DCMAKE_TOOLCHAIN_FILE=$root/cmake/windows/toolchain${AKVEKM_CFG:+-cfg}.cmake" \
            -DAKVEKM_TESTS=OFF >>"$work/log" && cmake --build "$work/windows" >>"$work/log" &&
        sh "$root/cmake/package/package.sh" --linux "$work/linux" --windows "$work/windows" --release "$release" --out "$work/dist" >>"$work/log" ||
        { cat "$work/log"; return 1; }
    cmp "$work/dist/SHA256SUMS" "$root/dist/SHA256SUMS" || diff "$work/dist/SHA256SUMS" "$root/dist/SHA256SUMS"
}

# chroot_of NAME: prints the folder, made if need be.
chroot_of() {
    folder=${AKVEKM_CHROOTS:-$root/build-package/chroots}/$1
    if [ ! -d "$folder/usr" ] && [ -z "${AKVEKM_CHROOTS:-}" ]; then
        mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1)
        rm -rf "$folder.new"
        mkdir -p "$folder.new"
        debootstrap --variant=minbase "$1" "$folder.new" ${mirror:+"$mirror"} >"$work/log" 2>&1 || return 1
        mv "$folder.new" "$folder"
    fi
    [ -d "$folder/usr" ] && echo "$folder"
}

try sums
try lists
if [ -n "${AKVEKM_SIGNED:-}" ]; then
    skip 'the bytes of a second build: this one is signed'
else
    try same_bytes
fi
# A higher version of the same.
sh "$root/cmake/package/package.sh" --release 99 --out "$work/higher" >/dev/null
if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
    skip 'deb and rpm in clean systems: that needs root and mount namespaces'
elif [ -z "${AKVEKM_CHROOTS:-}" ] && ! command -v debootstrap >/dev/null; then
    skip 'deb and rpm in clean systems: debootstrap is not installed, or name them in AKVEKM_CHROOTS'
else
    for name in bookworm trixie; do
        if folder=$(chroot_of "$name"); then
            try sh "$here/deb.sh" "$folder" "$root"/dist/*.deb "$work"/higher/*.deb "$build"
            try sh "$here/five_minutes.sh" "$folder" "$root"/dist/*.deb "$work"/higher/*.deb "$build"
            try sh "$here/rpm.sh" "$folder" "$root"/dist/*.rpm "$work"/higher/*.rpm "$build"
        else
            skip "no clean $name"
        fi
    done
fi
if [ -e /usr/lib/wine/wine64 ] || command -v wine64 >/dev/null; then
    try sh "$here/msi.sh" "$root"/dist/*.msi "$work"/higher/*.msi "$root/build-package-windows"
else
    skip 'the MSI: Wine is not installed'
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
