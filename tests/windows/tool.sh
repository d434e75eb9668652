#!/bin/sh
# akv-ekm.exe: setup makes registry key, folder and event source once, doctor finds all in order, and the map is the registry.
. "$(dirname -- "$0")/../integration/scenario.sh"

source_key='HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\akv-ekm'
tool=$windows/akv-ekm.exe

# tool STATUS [ARGUMENT]...: SECRET on standard input
tool() {
    wanted=$1
    shift
    got=0
    printf '%s\n' "$SECRET" | timeout "$wine_limit" sh "$cases/../../cmake/windows/wine.sh" "$windows" "$tool" "$@" \
        >"$folder/out.raw" 2>"$folder/err" || got=$?
    tr -d '\r' <"$folder/out.raw" >"$folder/out"
    [ "$got" = "$wanted" ] || fail "akv-ekm $*: status $got, not $wanted"
    ! grep -qF "$client_secret" "$folder/out" || fail 'the secret is shown'
}

says() {
    grep -qE -- "$1" "$folder/out" || fail "no \"$1\" was said"
}

begin
export AKVEKM_CONFIG
new_key TdeKey0 >/dev/null
account=$(id -un)

drop_branch
wine reg delete "$source_key" /f >/dev/null 2>&1 || :
tool 0 setup --user "$account" --dry-run
says '^-- would do +HKLM.SOFTWARE.Microsoft.SQL Server Cryptographic Provider'
tool 0 setup --user "$account"
says '^-- done +HKLM.SOFTWARE.Microsoft.SQL Server Cryptographic Provider'
says '^-- (done|there already) +event source akv-ekm with the texts of .*akvekm.dll'
query "$source_key" | grep -q 'EventMessageFile.*akvekm.dll' || fail 'no event source'
tool 0 setup --user "$account" --identity contoso-vault --key TdeKey0
says '^-- there already +HKLM.SOFTWARE.Microsoft.SQL Server Cryptographic Provider'
! grep -q '^-- done' "$folder/out" || fail 'something is done twice'
says "WITH IDENTITY = 'contoso-vault'"
# A second instance, with an account of its own, shares folder and log.
tool 0 setup --user Users
says '^-- (done|there already) +reading that folder for Users'
says '^-- (done|there already) +writing that log for Users'
tool 1 setup --instance NOSUCH
says 'no account NT SERVICE.MSSQL.NOSUCH'

tool 0 doctor --identity contoso-vault --key TdeKey0
says '^ok .* unwrap +may unwrap'
says '^ok .* map +HKLM'
says '^ready: '
tool 0 map add contoso-vault TdeKey0
says "^$vault	[0-9A-F]*	https://$vault/keys/TdeKey0/"
tool 0 map list
says "^$vault	"
tool 0 map export reg
says '^.HKEY_LOCAL_MACHINE.SOFTWARE.Microsoft.SQL Server Cryptographic Provider.Azure Key Vault.https://contoso-vault'
tool 0 version
says '^akv-ekm '
tool 0 explain 3113
{ printf '# akv-ekm recording 1, version 1.0.0\r\n'; printf '2026-11-29T03:04:05.678Z 7/9 CloseSession session=1 abort=1 rc=0 us=1\r\n'; } \
    >"$folder/recording"
tool 0 trace "$folder/recording"
says '^A30 +contradicted'
# With keymap_file the map is that file, and setup makes its folder.
printf 'keymap_file = %s\n' "$(system_path "$folder/maps/keymap")" >>"$config"
tool 0 setup --user "$account"
says '^-- done +folder of the map '
tool 0 setup --user "$account"
says '^-- there already +folder of the map '
! grep -q '^-- done' "$folder/out" || fail 'something is done twice'
tool 0 map add contoso-vault TdeKey0
[ -s "$folder/maps/keymap" ] || fail 'the map is not in the file'
forget_map
