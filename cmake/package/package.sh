#!/bin/sh
# package.sh [OPTION]...: makes the packages in dist/ of what `dev.sh package` has built. docs/release.md explains them.
#   --linux FOLDER --windows FOLDER   the build folders, configured with AKVEKM_TESTS=OFF; the first with private libraries
#   --release N                       counts the packages of one version (1)
#   --sign KEY                        signs SHA256SUMS and the rpm by this key of GnuPG
#   --sign-windows OPTIONS            signs DLL, tool and MSI: what cmake/windows/sign.sh takes, '--pfx FILE' or '--pem CERTS KEY'
#   --out FOLDER                      in the place of dist/
# Without signatures, the same source, libraries and compilers give the same bytes.
set -eu
LC_ALL=C
TZ=UTC
export LC_ALL TZ
umask 022

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
linux=$root/build-package
windows=$root/build-package-windows
out=$root/dist
release=1
sign=
sign_windows=
while [ $# -gt 0 ]; do
    case $1 in
    --linux) linux=$2 ;;
    --windows) windows=$2 ;;
    --release) release=$2 ;;
    --sign) sign=$2 ;;
    --sign-windows) sign_windows=$2 ;;
    --out) out=$2 ;;
    *)
        sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    esac
    shift 2
done
case $release in
*[!0-9]* | '' | 0* | ???*)
    echo "package.sh: --release takes a number from 1 to 99" >&2
    exit 2
    ;;
esac

# The time of the source: that of its commit, or of its newest file where there is no history.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null ||
    find "$root/src" "$root/cmake" "$root/docs" -type f -printf '%T@\n' | sort -n | tail -n 1 | cut -d . -f 1)}
AKVEKM_PACKAGING=yes
export SOURCE_DATE_EPOCH AKVEKM_PACKAGING
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debian=$(sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' /etc/os-release)

# quietly COMMAND...: shows what it printed only if it fails.
quietly() {
    "$@" >"$work/log" 2>&1 </dev/null || {
        cat "$work/log" >&2
        echo "package.sh: failed: $*" >&2
        exit 1
    }
}

# sign_file IN OUT
sign_file() {
    # shellcheck disable=SC2086 # options
    sh "$root/cmake/windows/sign.sh" $sign_windows "$1" "$2"
}

# --- Windows ---------------------------------------------------------------------------------------------------------------

version=$(sed -n 's/^CMAKE_PROJECT_VERSION:[A-Z]*=//p' "$windows/CMakeCache.txt")
full=$version-$release
files=$work/akv-ekm-$full-windows-x64
mkdir -p "$files"
for file in unsigned/akvekm.dll akv-ekm.exe; do
    [ -f "$windows/$file" ] || continue
    if [ -n "$sign_windows" ]; then
        sign_file "$windows/$file" "$files/$(basename "$file")"
    else
        cp "$windows/$file" "$files"
    fi
done
windows_libraries=$(sed -n 's/^AKVEKM_WINDOWS_LIBRARIES:[A-Z]*=//p' "$windows/CMakeCache.txt")
sh "$root/cmake/package/sbom.sh" akv-ekm "$full" "$windows_libraries/root/versions.txt" "$SOURCE_DATE_EPOCH" "$debian" \
    >"$files/akv-ekm.cdx.json"
{
    cat "$root/LICENSE"
    for name in openssl curl cjson; do
        printf '\n\n===== %s =====\n\n' "$name"
        cat "$windows_libraries/root/licences/$name.txt"
    done
} | sed 's/$/\r/' >"$files/LICENCES.txt"
sed "s|@library@|C:\\\\Program Files\\\\akv-ekm\\\\$full\\\\akvekm.dll|; s/\$/\r/" "$root/cmake/package/setup.sql" >"$files/setup.sql"
sh "$root/cmake/package/sample.sh" "$root/docs/configuration.md" | sed 's/$/\r/' >"$files/akv-ekm.conf.sample"
chmod 0644 "$files"/*
file_version=$(sed -n 's/^FILEVERSION //p' "$windows/src/akvekm.rc" | tr , .)
sh "$root/cmake/package/msi.sh" "$files" "$full" "$file_version" "$SOURCE_DATE_EPOCH" "$work/akv-ekm-$full-x64.msi"
if [ -n "$sign_windows" ]; then
    sign_file "$work/akv-ekm-$full-x64.msi" "$work/signed.msi"
    mv "$work/signed.msi" "$work/akv-ekm-$full-x64.msi"
fi
find "$files" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$work" && find "akv-ekm-$full-windows-x64" -type f | sort | zip -X -q "akv-ekm-$full-windows-x64.zip" -@)

# --- Linux -----------------------------------------------------------------------------------------------------------------

quietly cmake "-DAKVEKM_PACKAGE_RELEASE=$release" "-DAKVEKM_PACKAGE_DLL=$files/akvekm.dll" -S "$root" -B "$linux"
quietly cmake --build "$linux"
linux_libraries=$(sed -n 's/^AKVEKM_PRIVATE_LIBRARIES:[A-Z]*=//p' "$linux/CMakeCache.txt")
sh "$root/cmake/package/sbom.sh" akv-ekm "$full" "$linux_libraries/root/versions.txt" "$SOURCE_DATE_EPOCH" "$debian" \
    >"$work/linux.cdx.json"
cp "$work/linux.cdx.json" "$linux/package/akv-ekm.cdx.json"
rm -rf "$linux/packages"
(cd "$linux" && quietly cpack -G DEB && quietly cpack -G RPM)
rm -rf "$linux/packages/_CPack_Packages"
tree=$work/tree/akv-ekm-$full-linux-$(uname -m)
DESTDIR=$tree quietly cmake --install "$linux" --strip --prefix /
tar -C "$work/tree" --sort=name --format=ustar "--mtime=@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    -cf - "$(basename "$tree")" | gzip -9n >"$work/$(basename "$tree").tar.gz"

# --- dist ------------------------------------------------------------------------------------------------------------------

if [ -n "$sign" ]; then
    for rpm in "$linux"/packages/*.rpm; do
        quietly rpmsign --define "_gpg_name $sign" --define "__gpg $(command -v gpg)" --addsign "$rpm"
    done
fi
rm -rf "$out"
mkdir -p "$out"
cp "$linux"/packages/*.deb "$linux"/packages/*.rpm "$work"/*.tar.gz "$out"
for package in "$out"/*; do
    cp "$work/linux.cdx.json" "$package.cdx.json"
done
for package in "$work"/*.msi "$work"/*.zip; do
    cp "$package" "$out"
    cp "$files/akv-ekm.cdx.json" "$out/$(basename "$package").cdx.json"
done
(cd "$out" && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
if [ -n "$sign" ]; then
    gpg --batch --yes --local-user "$sign" --armor --detach-sign "$out/SHA256SUMS"
fi
(cd "$out" && ls -l | awk 'NR > 1 { print "package: " $5, $9 }')
