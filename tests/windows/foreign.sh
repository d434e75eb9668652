#!/bin/sh
# Entries of others and odd ones in the branch: what can be read is used, the rest is left as it is and harms nothing.
. "$(dirname -- "$0")/../integration/scenario.sh"

zeros=0000000000000000000000000000000000000000
set_up
thumbprint=$(thumbprint_of TDE_Key)
uri=$(map_entry "https://$vault" "$thumbprint" "TdeKey0/$version")

# The spellings people and tools leave behind: each alone must do, without the vault's listing.
spelled() {
    wine reg delete "$branch" /f >/dev/null
    add_entry "$1" "$2" "$3"
    wine reg add "$branch\\Log" /v Level /t REG_DWORD /d 0 /f >/dev/null
    reset_counters
    database_opens
    for listing in list_keys list_versions; do
        count=$(counter "$listing")
        [ "${count:-0}" = 0 ] || fail "the entry $1\\$2 = $3 was not used"
    done
}
lower=$(printf '%s' "$thumbprint" | tr A-F a-f)
spelled "$vault" "$thumbprint" "$uri"
spelled "https://$vault/" "$lower" "$uri"
spelled "HTTPS://$(printf '%s' "$vault" | tr a-z A-Z)" "0x$lower" "$uri"
spelled "https://$vault" "$thumbprint" "https://$vault:443/keys/TdeKey0/$version"

# All kinds of rubbish around the one good entry.
add_entry "https://$vault" "$zeros" 'http://elsewhere.example/keys/TdeKey0/1'
add_entry "https://$vault" "1$zeros" "$uri"
add_entry "https://$vault" 'no hexadecimal' "$uri"
add_entry "https://$vault" 'Größe Ω' "$uri"
add_entry "https://$vault\\$thumbprint" 'deeper' "$uri"
add_entry 'https://other-vault.vault.azure.net' "$thumbprint" 'https://other-vault.vault.azure.net/keys/TdeKey0'
add_entry 'no vault at all' "$thumbprint" 'C:\Windows'
wine reg add "$branch\\https://$vault\\AA" /v KeyUri /t REG_DWORD /d 7 /f >/dev/null
wine reg add "$branch\\https://$vault\\BB" /v Other /t REG_SZ /d "$uri" /f >/dev/null
wine reg add "$branch\\https://$vault\\CC" /v KeyUri /t REG_SZ /d '' /f >/dev/null
wine reg add "$branch\\https://$vault\\DD" /v KeyUri /t REG_BINARY /d 0102030405 /f >/dev/null
wine reg add "$branch\\https://$vault\\EE" /v KeyUri /t REG_SZ /d "$(printf 'x%.0s' $(seq 5000))" /f >/dev/null
wine reg add "$branch" /v KeyUri /t REG_SZ /d "$uri" /f >/dev/null
wine reg add "$provider_key\\Another Vendor\\Keys" /v Level /t REG_SZ /d high /f >/dev/null
before=$(map)
database_opens
[ "$(map)" = "$before" ] || fail 'reading changed the branch'
new_key Second >/dev/null
sql <<'SQL'
CREATE ASYMMETRIC KEY Second FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'Second', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
map_entry "https://$vault" "$(thumbprint_of Second)" >/dev/null
map >"$folder/after"
printf '%s\n' "$before" | while IFS= read -r line; do
    grep -qxF -e "$line" "$folder/after" || { printf '%s\n' "$line"; }
done >"$folder/lost"
[ ! -s "$folder/lost" ] || { cat "$folder/lost" >&2; fail 'entries of others were lost'; }
database_opens
