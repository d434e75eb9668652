#!/bin/sh
# Keys registered under another provider are taken over, on either system: its guid and version, thumbprints of 20 bytes in either
# order and of 9 bytes, keys wrapped by RSA1_5 and RSA-OAEP, an imported map. Everything opens, nothing is rewritten, and there
# is a way back.
. "$(dirname -- "$0")/scenario.sh"

# The other provider's file; whose turn it is, is copied here, as an administrator would replace a DLL.
provider=$folder/provider.dll
keys=$folder/keys
PROVIDER=$(system_path "$provider")
DUMMY_FOLDER=$(system_path "$keys")
DUMMY=$(system_path "$dummy")
export PROVIDER DUMMY DUMMY_FOLDER DUMMY_GUID=77 DUMMY_VERSION=3
replace() {
    cp "$1" "$provider.new"
    mv "$provider.new" "$provider"
}
theirs() {
    replace "$dummy"
}
ours() {
    replace "$library"
}

catalog() {
    cksum <"$server/catalog.json"
}

# The thumbprint a vault key has by the rule for public keys, found out with an instance and a map that are thrown away.
true_thumbprint() {
    (
        server=$folder/probe
        [ -d "$server" ] || set_up_provider
        NAME=$1 sql <<'SQL'
CREATE ASYMMETRIC KEY $(NAME) FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = '$(NAME)', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
        thumbprint_of "$1"
    )
    forget_map
}

# give_key NAME VERSION THUMBPRINT: a vault key that the other provider knows under this thumbprint
give_key() {
    pem_of "$1" "$2" >"$keys/$1.1.pem"
    printf '%s\n' "$3" >"$keys/$1.1.thumb"
}

databases_open() {
    sql <<'SQL'
SELECT COUNT(*) AS online FROM sys.databases WHERE is_encrypted = 1 AND state_desc = 'ONLINE';
USE D1; SELECT name FROM people;
USE D2; SELECT name FROM people;
USE D3; SELECT name FROM people;
USE Shop;
OPEN SYMMETRIC KEY Cards DECRYPTION BY ASYMMETRIC KEY ColKey;
SELECT CONVERT(varchar(30), DECRYPTBYKEY(number)) FROM cards;
SQL
    [ "$(grep -c '^Ada Lovelace$' "$folder/out")" = 3 ] || fail "$1: not all databases open"
    has '^4111-1111$'
    has '^ *3$'
}

begin
mkdir "$keys"
theirs
# One by the public key, one that was not reversed, one by the old rule: the name taken as base64.
version1=$(new_key Key1)
version2=$(new_key LFZ3129213-A)
version3=$(new_key Key3)
long1=$(true_thumbprint Key1)
long3=$(true_thumbprint Key3 | fold -w 2 | tac | tr -d '\n')
short=2C5677D76F76D77F80
theirs
give_key Key1 "$version1" "$long1"
give_key LFZ3129213-A "$version2" "$short"
give_key Key3 "$version3" "$long3"
touch "$keys/LFZ3129213-A.1.pkcs1"
enable_ekm
sql <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER AkvEkm FROM FILE = '$(PROVIDER)';
CREATE CREDENTIAL tde_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL tde_cred;
SQL
number=0
for name in Key1 LFZ3129213-A Key3; do
    number=$((number + 1))
    N=$number NAME=$name sql <<'SQL'
CREATE ASYMMETRIC KEY TDE_Key$(N) FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = '$(NAME)', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login$(N) FROM ASYMMETRIC KEY TDE_Key$(N);
CREATE CREDENTIAL tde_cred$(N) WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN TDE_Login$(N) ADD CREDENTIAL tde_cred$(N);
CREATE DATABASE D$(N);
GO
USE D$(N);
CREATE TABLE people (id int, name varchar(40));
INSERT INTO people VALUES (1, 'Ada Lovelace');
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key$(N);
ALTER DATABASE D$(N) SET ENCRYPTION ON;
SQL
done
[ "$(thumbprint_of TDE_Key2)" = "$short" ] || fail 'the preparation: a thumbprint of 9 bytes'
sql <<'SQL'
CREATE DATABASE Shop;
GO
USE Shop;
CREATE ASYMMETRIC KEY ColKey FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'LFZ3129213-A', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE SYMMETRIC KEY Cards WITH ALGORITHM = AES_256 ENCRYPTION BY ASYMMETRIC KEY ColKey;
CREATE TABLE cards (id int, number varbinary(500));
OPEN SYMMETRIC KEY Cards DECRYPTION BY ASYMMETRIC KEY ColKey;
INSERT INTO cards VALUES (1, ENCRYPTBYKEY(KEY_GUID('Cards'), '4111-1111'));
SELECT guid FROM sys.cryptographic_providers;
SQL
guid=$(value)
databases_open 'the other provider'
before=$(catalog)

# The map as people bring it along: with scheme and slash, port, lower case, 0x.
add_entry "https://$vault/" "0x$(printf '%s' "$long1" | tr A-F a-f)" "https://$vault/keys/Key1/$version1"
add_entry "$vault" "$short" "https://$vault/keys/LFZ3129213-A/$version2"
add_entry "https://$vault" "$long3" "https://$vault:443/keys/Key3/$version3"
imported=$(map)

# Without the settings: another provider than the catalog's, and nothing is changed.
ours
run 1 <<'SQL'
SELECT name FROM sys.databases WHERE state_desc = 'RECOVERY_PENDING' AND name = 'D1';
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
SQL
has '^D1$'
msg 33024
[ "$(catalog)" = "$before" ] || fail 'the catalog was changed'
# The guid alone is not enough: the version is compared as well.
configure "provider_guid = $guid"
run 1 <<'SQL'
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
SQL
lacks '^Msg 33024'
[ "$(catalog)" = "$before" ] || fail 'the catalog was changed'

# With both: all opens, by the imported thumbprints.
configure 'provider_version = 03.00.0000.00'
databases_open 'the library'
ctl POST /settings '{"implicit_rejection":true}' >/dev/null
databases_open 'the library, where a wrong RSA1_5 unwrap gives random bytes'
ctl POST /settings '{"implicit_rejection":false}' >/dev/null
[ "$(catalog)" = "$before" ] || fail 'the catalog was changed'
[ "$(map)" = "$imported" ] || fail 'the imported map was changed'
# A key opened again keeps the thumbprint of the imported map.
sql <<'SQL'
CREATE DATABASE Again;
GO
USE Again;
CREATE ASYMMETRIC KEY Here FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'LFZ3129213-A', CREATION_DISPOSITION = OPEN_EXISTING;
SELECT thumbprint FROM sys.asymmetric_keys WHERE name = 'Here';
SQL
[ "$(value)" = "0x$short" ] || fail 'the imported thumbprint is not kept'
[ "$(map)" = "$imported" ] || fail 'the imported map was changed'

# What the library wraps meanwhile must open under the other provider after a way back.
sql <<'SQL'
USE D1;
ALTER DATABASE ENCRYPTION KEY REGENERATE WITH ALGORITHM = AES_256;
USE D3;
ALTER DATABASE ENCRYPTION KEY ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key1;
SQL
databases_open 'the library, wrapped anew'
theirs
databases_open 'the way back'
ours
databases_open 'forth again'

# The other way: FROM FILE demands the registered guid, and stores the version.
DUMMY_GUID=78 run 1 <<'SQL'
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm DISABLE;
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm FROM FILE = '$(LIBRARY)';
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm ENABLE;
SELECT version, dll_path FROM sys.cryptographic_providers;
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm DISABLE;
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm FROM FILE = '$(DUMMY)';
SQL
has "^03\.00\.0000\.00  *.*$(basename -- "$library")\$"
msg 33024
