#!/bin/sh
# CreateKey and DropKey: off by default; a drop after a rotation is refused, as Azure would delete every version.
. "$(dirname -- "$0")/scenario.sh"

versions() {
    ctl GET "/keys?vault=$vault" | tr -d ' \t\n' | grep -o "\"kid\":\"[^\"]*/$1/[0-9a-f]*\"" | sort -u | wc -l
}

# The key $NAME, made by SQL Server
make() {
    cat <<'SQL'
CREATE ASYMMETRIC KEY $(NAME) FROM PROVIDER AkvEkm
WITH ALGORITHM = RSA_3072, PROVIDER_KEY_NAME = '$(NAME)', CREATION_DISPOSITION = CREATE_NEW;
SQL
}

start_vault
ctl POST /clients '{"client_id":"11111111-2222-4333-8444-555555555555","secrets":["'"$client_secret"'"],
    "permissions":["get","list","wrapKey","unwrapKey","create","delete"]}' >/dev/null
set_up_provider

# Neither is allowed unless the configuration says so.
export NAME=Made1
make | run 1
msg 33035 3
expect_counter create 0
configure 'allow_create = yes'
make | sql
expect_counter create 1
[ "$(versions Made1)" = 1 ] || fail 'Made1 was not made'
sql <<'SQL'
SELECT name, algorithm_desc FROM sys.asymmetric_keys WHERE name = 'Made1';
DROP ASYMMETRIC KEY Made1 REMOVE PROVIDER KEY;
SQL
has '^Made1  *RSA_3072$'
has 'Cannot drop the key with thumbprint .* Provider error code: 3\.'
expect_counter delete 0
[ "$(versions Made1)" = 1 ] || fail 'Made1 is gone'

# An existing name is never given a new version.
make | run 1
msg 33035 1
[ "$(versions Made1)" = 1 ] || fail 'CREATE_NEW made a version of an existing key'

# After a rotation the drop is refused ...
configure 'allow_drop = yes'
new_key Made1 >/dev/null
sql <<'SQL'
CREATE ASYMMETRIC KEY Made1 FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'Made1', CREATION_DISPOSITION = OPEN_EXISTING;
DROP ASYMMETRIC KEY Made1 REMOVE PROVIDER KEY;
SQL
has 'Cannot drop the key with thumbprint .* Provider error code: 1\.'
expect_counter delete 0
[ "$(versions Made1)" = 2 ] || fail 'a version of Made1 is gone'

# ... and a key of one version goes, softly; the map keeps its entry.
export NAME=Made2
make | sql
thumbprint=$(thumbprint_of Made2)
sql <<'SQL'
DROP ASYMMETRIC KEY Made2 REMOVE PROVIDER KEY;
SQL
lacks 'Cannot drop'
expect_counter delete 1
[ "$(versions Made2)" = 0 ] || fail 'Made2 is still there'
grep -q "	$thumbprint	" "$keymap" || fail 'the map lost the dropped key'
# A plain DROP never reaches the provider.
new_key Made3 >/dev/null
reset_counters
sql <<'SQL'
CREATE ASYMMETRIC KEY Made3 FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'Made3', CREATION_DISPOSITION = OPEN_EXISTING;
DROP ASYMMETRIC KEY Made3;
SQL
calls SqlCryptDropKey 0
[ "$(versions Made3)" = 1 ] || fail 'Made3 is gone'
