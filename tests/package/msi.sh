#!/bin/sh
# msi.sh MSI HIGHER-MSI BUILD-WINDOWS: the Windows package under Wine: installed, an entry in the map, the higher version beside
# it, each removed. What an installation made goes with it, what others put there stays: the map, a configuration.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
msi=$(realpath "$1")
higher=$(realpath "$2")
build=$(mktemp -d "${TMPDIR:-/tmp}/akvekm-msi.XXXXXX") # for wine.sh: a prefix of its own
trap 'status=$?; wine --end; rm -rf "$build"; exit $status' EXIT
trap 'exit 1' HUP INT TERM
map='HKLM\SOFTWARE\Microsoft\SQL Server Cryptographic Provider'
source='HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\akv-ekm'

wine() {
    sh "$here/../../cmake/windows/wine.sh" "$build" "$@"
}

fail() {
    echo "msi: FAILED: $*" >&2
    exit 1
}

# installer OPTION MSI
installer() {
    timeout 120 sh "$here/../../cmake/windows/wine.sh" "$build" msiexec "$1" "$(wine winepath -w "$2" | tr -d '\r')" /qn \
        </dev/null >"$build/log" 2>&1 || { tail -n 30 "$build/log" >&2; fail "msiexec $1 $(basename "$2")"; }
}

version_of() {
    basename "$1" | sed 's/^akv-ekm-\(.*\)-x64\.msi$/\1/'
}

value() {
    wine reg query "$1" /v "$2" 2>/dev/null | tr -d '\r' | sed -n "s/^ *$2 *REG_[A-Z_]* *//p"
}

list() {
    echo "-- $1"
    (cd "$drive" && find 'Program Files/akv-ekm' 'ProgramData/akv-ekm' -printf '%y %p\n' 2>/dev/null | sort) || :
}

# Windows Installer's own rules for a file with a version: it must be in the File table, and no hash beside it.
for package in "$msi" "$higher"; do
    msiinfo export "$package" File | grep -qE '^akvekm\.dll	.*	[0-9.]+\.[0-9]+\.[0-9]+\.[0-9]+	1033	' || fail 'no version in the File table'
    ! msiinfo export "$package" MsiFileHash | grep -q '^akvekm\.dll' || fail 'a hash of a file with a version'
    msiinfo export "$package" MsiLockPermissionsEx | grep -q '^DataRights	DataDir	CreateFolder	.*PAI' || fail 'no rights of the folder'
done
product() {
    msiinfo export "$1" Property | tr -d '\r' | sed -n "s/^ProductCode	//p"
}
[ "$(product "$msi")" != "$(product "$higher")" ] || fail 'two versions are one product'

wine --begin
drive=$build/wine-prefix/drive_c
first=$(version_of "$msi")
second=$(version_of "$higher")
installer /i "$msi"
list "after installation of $first"
cmp "$drive/Program Files/akv-ekm/$first/akvekm.dll" "$3/unsigned/akvekm.dll" || fail 'another DLL'
wine reg query "$map" >/dev/null 2>&1 || fail 'no key for the map'
[ "$(value "$source" EventMessageFile)" = "C:\\Program Files\\akv-ekm\\$first\\akvekm.dll" ] || fail "event source: $(value "$source" EventMessageFile)"
[ -d "$drive/ProgramData/akv-ekm" ] || fail 'no folder for the configuration'

# The engine's own: an entry of the map, a configuration.
wine reg add "$map\\Azure Key Vault\\https://v.vault.azure.net\\AA" /v KeyUri /d https://v.vault.azure.net/keys/k/v /f >/dev/null
echo 'log_level = info' >"$drive/ProgramData/akv-ekm/akv-ekm.conf"

installer /i "$higher"
list "after installation of $second"
[ -f "$drive/Program Files/akv-ekm/$first/akvekm.dll" ] || fail 'the version that the engine is registered with is gone'
[ -f "$drive/Program Files/akv-ekm/$second/akvekm.dll" ] || fail 'the higher version is not there'
[ "$(value "$source" EventMessageFile)" = "C:\\Program Files\\akv-ekm\\$second\\akvekm.dll" ] || fail 'event source of the upgrade'

installer /x "$msi"
list "after removal of $first"
[ ! -e "$drive/Program Files/akv-ekm/$first" ] || fail "$first stays"
[ -f "$drive/Program Files/akv-ekm/$second/akvekm.dll" ] || fail 'the removal took the other version'
[ -n "$(value "$source" EventMessageFile)" ] || fail 'the removal took the event source of the other version'

installer /x "$higher"
list "after removal of $second"
[ ! -e "$drive/Program Files/akv-ekm" ] || fail 'a folder stays'
[ -z "$(value "$source" EventMessageFile)" ] || fail 'the event source stays'
[ "$(value "$map\\Azure Key Vault\\https://v.vault.azure.net\\AA" KeyUri)" = https://v.vault.azure.net/keys/k/v ] || fail 'the map is gone'
[ -f "$drive/ProgramData/akv-ekm/akv-ekm.conf" ] || fail 'the configuration is gone'
echo 'msi: passed'
