#!/bin/sh
# msi.sh FILES VERSION-RELEASE FILE-VERSION EPOCH OUT: makes the Windows package of the files in FILES (akvekm.dll, LICENCES.txt,
# setup.sql, akv-ekm.conf.sample, akv-ekm.cdx.json, and akv-ekm.exe if it is there). Needs wixl and msibuild (msitools).
set -eu
LC_ALL=C
TZ=UTC
export LC_ALL TZ

[ $# -eq 5 ] || {
    echo 'usage: sh cmake/package/msi.sh FILES VERSION-RELEASE FILE-VERSION EPOCH OUT' >&2
    exit 2
}
files=$(CDPATH='' cd -- "$1" && pwd)
version=$2
file_version=$3
epoch=$4
out=$5
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
SOURCE_DATE_EPOCH=$epoch
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# guid TEXT: always the same for the same text.
guid() {
    printf 'akv-ekm %s' "$1" | sha256sum |
        sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\).*/\1-\2-5\3-a\4-\5/' | tr a-f A-F
}

# still COMMAND...: at the time of the source, as wixl and msibuild write the time into what they make.
still() {
    faketime -f "$(date -u -d "@$epoch" '+%Y-%m-%d %H:%M:%S')" "$@"
}

query() {
    still msibuild "$work/new.msi" -q "$1"
}

# Windows Installer compares the first three numbers only, and the middle ones are below 256: 1.2.3-4 is 1.2.304.
msi_version=$(echo "$version" | awk -F '[.-]' '{ print $1 "." $2 "." $3 * 100 + $4 }')
tool=
tool_ref=
if [ -f "$files/akv-ekm.exe" ]; then
    tool="<Component Id=\"Tool\" Guid=\"$(guid "tool $version")\" Win64=\"yes\"><File Id=\"akv_ekm.exe\" Name=\"akv-ekm.exe\" Source=\"akv-ekm.exe\" KeyPath=\"yes\"/></Component>"
    tool_ref='<ComponentRef Id="Tool"/>'
fi
content=$(cat "$files"/* | sha256sum)
sed -e "s|@product@|$(guid "product $version")|; s|@package@|$(guid "package $version $content")|" \
    -e 's|@upgrade@|4B1A5C0E-6E0C-4F0B-9B7B-0C0B7C3D1A00|' \
    -e "s|@guid_library@|$(guid "library $version")|; s|@guid_texts@|$(guid "texts $version")|" \
    -e "s|@version@|$version|g; s|@msi_version@|$msi_version|" \
    -e "s|@tool@|$tool|; s|@tool_ref@|$tool_ref|" "$here/akv-ekm.wxs.in" >"$work/akv-ekm.wxs"
cp "$files"/* "$work"
touch -d "@$epoch" "$work"/*
still wixl --arch x64 -o "$work/new.msi" "$work/akv-ekm.wxs"

# wixl writes neither version nor language of a DLL into the File table, and a hash of it instead: by Windows Installer's rules a
# file with a version on disk would be kept against ours.
for name in akvekm.dll akv_ekm.exe; do
    query "UPDATE File SET Version = '$file_version', Language = '1033' WHERE File = '$name'"
    query "DELETE FROM MsiFileHash WHERE File_ = '$name'"
done
# The key that holds the map: the library never makes it, and nobody takes it away (attribute 16; 4: a registry value is the key
# path; 256: of 64 bits). The name + says: make the key, and leave it.
query "INSERT INTO Component (Component, ComponentId, Directory_, Attributes, KeyPath) VALUES ('MapKey', '{4B1A5C0E-6E0C-4F0B-9B7B-0C0B7C3D1A02}', 'TARGETDIR', 276, 'MapKey')"
query "INSERT INTO Registry (Registry, Root, \`Key\`, Name, Component_) VALUES ('MapKey', 2, 'SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider', '+', 'MapKey')"
query "INSERT INTO FeatureComponents (Feature_, Component_) VALUES ('All', 'MapKey')"
# Rights of the folder: SYSTEM and administrators all, the others may read. Written here as wixl knows no such table.
{
    printf 'MsiLockPermissionsEx\tLockObject\tTable\tSDDLText\tCondition\r\n'
    printf 's72\ts72\ts32\ts0\tS255\r\n'
    printf 'MsiLockPermissionsEx\tMsiLockPermissionsEx\r\n'
    printf 'DataRights\tDataDir\tCreateFolder\tO:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)\t\r\n'
} >"$work/MsiLockPermissionsEx.idt"
still msibuild "$work/new.msi" -i "$work/MsiLockPermissionsEx.idt"
query "UPDATE Registry SET \`Key\` = 'SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\akv-ekm' WHERE Component_ = 'EventSource'"
# The package's own number, which wixl takes by chance: another content has another one.
still msibuild "$work/new.msi" -s "akv-ekm $version" akv-ekm 'x64;1033' "{$(guid "package $version $content")}"
mv "$work/new.msi" "$out"
