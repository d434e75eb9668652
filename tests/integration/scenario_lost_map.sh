#!/bin/sh
# A failover cluster's other machine, or a map that was deleted: the same catalog with no map at all. The vault alone must do,
# for the newest version and for older ones; without the permission to list keys it cannot.
. "$(dirname -- "$0")/scenario.sh"

# The map as lines, to compare.
sorted_map() {
    sort "$keymap"
}

set_up
other=$(new_key Another 3072)
version1=$version
thumbprint=$(thumbprint_of TDE_Key)
version2=$(new_key TdeKey0)
sql <<'SQL'
CREATE DATABASE Second;
USE Second;
CREATE ASYMMETRIC KEY New_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
GO
USE master;
CREATE ASYMMETRIC KEY New_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN New_Login FROM ASYMMETRIC KEY New_Key;
CREATE CREDENTIAL new_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN New_Login ADD CREDENTIAL new_cred;
GO
USE Second;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256
ENCRYPTION BY SERVER ASYMMETRIC KEY New_Key;
GO
ALTER DATABASE Second SET ENCRYPTION ON;
SQL
newer=$(thumbprint_of New_Key)
sorted_map >"$folder/whole"
[ "$(wc -l <"$folder/whole")" = 2 ] || fail 'two lines in the map'

both_open() {
    sql <<'SQL'
SELECT COUNT(*) FROM sys.databases WHERE is_encrypted = 1 AND state_desc = 'ONLINE';
SQL
    [ "$(value)" = 2 ] || fail "$1: $(value) of 2 databases are online"
}

# The other machine: everything is the vault's to tell.
keymap=$folder/other/keymap
mkdir "$folder/other"
configure "keymap_file = $keymap"
both_open 'a machine with an empty map'
sorted_map | cmp -s - "$folder/whole" || fail 'the map is not what it was elsewhere'

# Deleted between two starts, and durable again afterwards: the next start looks nothing up.
rm "$keymap"
both_open 'a deleted map'
sorted_map | cmp -s - "$folder/whole" || fail 'the map did not heal'
reset_counters
both_open 'a healed map'
expect_counter list_keys 0
expect_counter get_key 0

# Without the permission to list: NotFound, and a line that says why.
rm "$keymap"
ctl POST /clients '{"client_id":"11111111-2222-4333-8444-555555555555","secrets":["Sim~Secret-0.with_hyphens-1"],
    "permissions":["get","wrapKey","unwrapKey"]}' >/dev/null
run 0 <<'SQL'
SELECT COUNT(*) FROM sys.databases WHERE state_desc = 'RECOVERY_PENDING';
SQL
[ "$(value)" = 2 ] || fail 'a database opened without the map and without the list'
logged "Database 'DemoTde': .*Provider error code: 4\."
grep -q 'code="4".*the vault refuses to list its keys' "$folder/vault/akv-ekm.log" || fail 'no log line says why'
ctl POST /clients '{"client_id":"11111111-2222-4333-8444-555555555555","secrets":["Sim~Secret-0.with_hyphens-1"],
    "permissions":["get","list","wrapKey","unwrapKey"]}' >/dev/null
both_open 'the permission is back'

# An imported map with a thumbprint in the other byte order: it is kept, and recognised when the map is lost.
sql <<'SQL'
CREATE DATABASE Third;
GO
USE Third;
CREATE ASYMMETRIC KEY Native FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'Another', CREATION_DISPOSITION = OPEN_EXISTING;
SELECT thumbprint FROM sys.asymmetric_keys WHERE name = 'Native';
SQL
native=$(value | sed 's/^0x//')
map_has "$native" "Another/$other"
reversed=$(printf '%s' "$native" | sed 's/\(..\)/\1\n/g' | tac | tr -d '\n')
sed -i "s/$native/$reversed/" "$keymap"
sql <<'SQL'
CREATE DATABASE Fourth;
GO
USE Fourth;
CREATE ASYMMETRIC KEY Imported FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'Another', CREATION_DISPOSITION = OPEN_EXISTING;
SELECT thumbprint FROM sys.asymmetric_keys WHERE name = 'Imported';
SQL
[ "$(value)" = "0x$reversed" ] || fail 'an imported map must keep its thumbprint'
rm "$keymap"
sql <<'SQL'
USE Fourth;
CREATE SYMMETRIC KEY Data WITH ALGORITHM = AES_256 ENCRYPTION BY ASYMMETRIC KEY Imported;
SQL
map_has "$reversed" "Another/$other"
map_has "$thumbprint" "TdeKey0/$version1"
map_has "$newer" "TdeKey0/$version2"

# The same key imported again under a new name, the former one deleted: the entry is put right, by Decrypt and by name.
pem=$(pem_of TdeKey0 "$version1" | awk '{ printf "%s\\n", $0 }')
ctl POST /keys "{\"vault\":\"$vault\",\"name\":\"Again\",\"version\":\"$version1\",\"pem\":\"$pem\"}" >/dev/null
ctl DELETE /keys "{\"vault\":\"$vault\",\"name\":\"TdeKey0\"}" >/dev/null
database_opens
map_has "$thumbprint" "Again/$version1"
sed -i "s|/Again/$version1|/TdeKey0/$version1|" "$keymap"
sql <<'SQL'
USE Fourth;
CREATE ASYMMETRIC KEY Again FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'Again', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
map_has "$thumbprint" "Again/$version1"
