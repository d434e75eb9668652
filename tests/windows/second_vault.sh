#!/bin/sh
# The second vault with the DLL: a database opens by it while the first fails, and both are in the registry.
. "$(dirname -- "$0")/../integration/scenario.sh"

second=second-vault.vault.azure.net
log=$folder/vault/akv-ekm.log

set_up
configure 'second_vault = contoso-vault: second-vault'
thumbprint=$(thumbprint_of TDE_Key)
pem=$(pem_of TdeKey0 "$version" | awk '{ printf "%s\\n", $0 }')
ctl POST /keys "{\"vault\":\"$second\",\"name\":\"TdeKey0\",\"version\":\"$version\",\"pem\":\"$pem\"}" >/dev/null
ctl POST /faults "{\"host\":\"$vault\",\"times\":0,\"action\":\"status\",\"status\":503}" >/dev/null
database_opens
grep -q ' Decrypt .*vault="second-vault' "$log" || fail 'the log does not name the second vault'
[ "$(grep -c 'the vault is out of reach' "$log")" = 1 ] || fail 'not one line of the change'
uri=$(map_entry "https://$second" "$thumbprint")
[ "$uri" = "https://$second/keys/TdeKey0/$version" ] || fail "$uri is the second vault's entry"
map_has "$thumbprint" "TdeKey0/$version"
# A start with both in the registry asks for no list.
reset_counters
database_opens
expect_counter unwrapkey 1
lists=$(counter list_keys)
[ "${lists:-0}" = 0 ] || fail "$lists lists of keys"
ctl DELETE /faults >/dev/null
database_opens
expect_counter leaked_secrets 0
