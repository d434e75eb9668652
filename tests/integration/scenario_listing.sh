#!/bin/sh
# sys.dm_cryptographic_provider_keys: every page of the vault's keys in order, without those SQL Server could not use.
. "$(dirname -- "$0")/scenario.sh"

start_vault
number=30
while [ "$number" -gt 0 ]; do
    new_key "$(printf 'Key%02d' "$number")" >/dev/null
    number=$((number - 1))
done
new_key Large 4096 >/dev/null
new_key Hardware 3072 "$vault" RSA-HSM >/dev/null
ctl POST /keys "{\"vault\":\"$vault\",\"name\":\"Elliptic\",\"kty\":\"EC\"}" >/dev/null
new_key NameOfMoreThan26Characters27 >/dev/null
version=$(new_key Disabled)
patch_key Disabled "$version" '"enabled":false'
new_key Elsewhere 2048 second-vault.vault.azure.net >/dev/null
set_up_provider

sql <<'SQL'
SELECT key_id, key_name, algorithm_tag, key_length FROM sys.dm_cryptographic_provider_keys(65536);
SQL
[ "$(grep -c ' RSA_' "$folder/out")" = 32 ] || fail 'not 32 keys'
for name in Elliptic NameOf Disabled Elsewhere; do
    lacks "$name"
done
has '^ *1  *Hardware  *RSA_3072  *3072$'
has '^ *2  *Key01  *RSA_2048  *2048$'
has '^ *31  *Key30  *RSA_2048  *2048$'
has '^ *32  *Large  *RSA_4096  *4096$'

# Ids stay within a session though the vault changes; each is the key that GetKeyInfoByName gives.
sql <<'SQL'
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536) WHERE key_id = 31 AND key_name = 'Key30';
CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'Key30', CREATION_DISPOSITION = OPEN_EXISTING;
SELECT key_thumbprint FROM sys.dm_cryptographic_provider_keys(65536) WHERE key_name = 'Key30';
SQL
listed=$(value)
[ "$listed" = "0x$(thumbprint_of TDE_Key)" ] || fail 'the listing shows another thumbprint than the key has'

# R16 asks for the list permission; without it the listing alone fails.
ctl POST /clients '{"client_id":"11111111-2222-4333-8444-555555555555","secrets":["'"$client_secret"'"],
    "permissions":["get","wrapKey","unwrapKey"]}' >/dev/null
run 1 <<'SQL'
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
GO
SELECT DATALENGTH(ENCRYPTBYASYMKEY(ASYMKEY_ID('TDE_Key'), 'x'));
SQL
grep -q 'Provider error code: 3113\.' "$folder/out" || fail 'no code 3113'
has '^ *256$'
