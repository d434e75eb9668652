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

# open_and_drop PROVIDER-KEY-NAME
open_and_drop() {
    NAME=$1 sql <<'SQL'
CREATE ASYMMETRIC KEY Doomed FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = '$(NAME)', CREATION_DISPOSITION = OPEN_EXISTING;
DROP ASYMMETRIC KEY Doomed REMOVE PROVIDER KEY;
SQL
}

refused() {
    has 'Cannot drop the key with thumbprint .* Provider error code: 1\.'
    expect_counter delete 0
}

# After a rotation the drop is refused, by the old version that the map knows and by the new one.
configure 'allow_drop = yes'
first=$(sed -n 's|.*/keys/Made1/||p' "$keymap")
new_key Made1 >/dev/null
open_and_drop "Made1/$first"
refused
open_and_drop Made1
refused
[ "$(versions Made1)" = 2 ] || fail 'a version of Made1 is gone'

# So it is when only the map remembers another key of that name ...
export NAME=Made2
make | sql
thumbprint=$(thumbprint_of Made2)
cp "$keymap" "$folder/map"
printf '%s\t%040d\thttps://%s/keys/Made2/%032d\n' "$vault" 7 "$vault" 7 >>"$keymap"
sql <<'SQL'
DROP ASYMMETRIC KEY Made2;
SQL
open_and_drop Made2
refused
cp "$folder/map" "$keymap"

# ... and a key of one version goes, softly; the map keeps its entry.
open_and_drop Made2
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
