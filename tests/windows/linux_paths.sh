#!/bin/sh
# The DLL as a server on Linux that plays Windows could have it (docs/linux.md): the map in a file, paths of Linux in the
# configuration, no key of the registry, no folder below ProgramData. Two processes share the map.
. "$(dirname -- "$0")/../integration/scenario.sh"

begin
drop_branch
place=$folder/akv-ekm
{
    grep '^connect_to *=' "$native_config"
    printf 'ca_file = %s\nlog_file = %s\nkeymap_file = %s\n' "$folder/vault/ca.pem" "$folder/vault/akv-ekm.log" "$place/keymap"
} >"$config"
version=$(new_key TdeKey0)
set_up_provider
set_up_key
set_up_database
[ -s "$place/keymap" ] || fail 'there is no map in the file'
grep -q "^$vault	[0-9A-F]\{40\}	https://$vault/keys/TdeKey0/$version\$" "$place/keymap" || fail 'the map lacks the key'
[ -s "$place/keymap.tenants" ] || fail 'no tenants beside the map'
database_opens
wine reg query "$provider_key" >/dev/null 2>&1 && fail 'the registry was written'
grep -q 'keymap=' "$folder/vault/akv-ekm.log" || fail 'the log does not name the map'
# Linux' own library reads the same file, and opens what the DLL encrypted.
cp "$place/keymap" "$folder/vault/keymap"
chmod 600 "$folder/vault/keymap"
printf '%s\n' "$SECRET" | AKVEKM_CONFIG=$native_config "$build/akv-ekm" map check --user "$(id -un)" --identity contoso-vault |
    grep -q ' 1 entries, 1 asked of the vault, 0 wrong' || fail 'the map is no map on Linux'
# Lost, it is found again.
rm "$place/keymap"
database_opens
[ -s "$place/keymap" ] || fail 'the map did not heal'
# A file that may not be written: 2058, and what is known opens.
new_key Other >/dev/null
rm -f "$place/keymap.tmp"
mkdir "$place/keymap.tmp"
run 1 <<'SQL'
CREATE ASYMMETRIC KEY Other FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'Other', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
msg 33049 2058
rmdir "$place/keymap.tmp"
database_opens
