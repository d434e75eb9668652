#!/bin/sh
# Catalog and branch as Microsoft's connector leaves them: another provider's guid and version, thumbprints of 20 bytes in
# either order and of 9 bytes, keys wrapped by RSA1_5 and RSA-OAEP. All opens, nothing is rewritten, and there is a way back.
. "$(dirname -- "$0")/windows.sh"

# The other provider's file; whose turn it is, is copied here, as an administrator would replace a DLL.
provider=$folder/provider.dll
keys=$folder/keys
theirs() {
    cp "$windows/dummy_provider.dll" "$provider"
}
ours() {
    cp "$windows/akvekm.dll" "$provider"
}

catalog() {
    cksum <"$server/catalog.json"
}

# set_values SETTING...: the configuration once more, with these lines
set_values() {
    write_config
    printf '%s\n' "$@" >>"$config"
}

# true_thumbprint NAME: by the rule for public keys, found out with an instance and a branch that are thrown away
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
    make_branch
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
SQL
    [ "$(grep -c '^Ada Lovelace$' "$folder/out")" = 3 ] || fail "$1: not all databases open"
    has '^ *3$'
}

# encrypted NUMBER KEY: a key of the other provider and a database under it
encrypted() {
    N=$1 NAME=$2 sql <<'SQL'
CREATE ASYMMETRIC KEY TDE_Key$(N) FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = '$(NAME)', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login$(N) FROM ASYMMETRIC KEY TDE_Key$(N);
ALTER LOGIN TDE_Login$(N) ADD CREDENTIAL tde_cred;
CREATE DATABASE D$(N);
GO
USE D$(N);
CREATE TABLE people (id int, name varchar(40));
INSERT INTO people VALUES (1, 'Ada Lovelace');
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key$(N);
ALTER DATABASE D$(N) SET ENCRYPTION ON;
SQL
}

begin_windows
mkdir "$keys"
PROVIDER=$(windows_path "$provider")
DUMMY_FOLDER=$(windows_path "$keys")
export PROVIDER DUMMY_FOLDER DUMMY_GUID=77 DUMMY_VERSION=3
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
SELECT guid FROM sys.cryptographic_providers;
SQL
guid=$(value)
encrypted 1 Key1
encrypted 2 LFZ3129213-A
encrypted 3 Key3
[ "$(thumbprint_of TDE_Key2)" = "$short" ] || fail 'the preparation: a thumbprint of 9 bytes'
databases_open 'the other provider'
before=$(catalog)

# The connector's branch, with its logging key.
wine reg add "$branch\\Log" /v Level /t REG_DWORD /d 1 /f >/dev/null
add_entry "https://$vault" "$long1" "https://$vault/keys/Key1/$version1"
add_entry "https://$vault" "$short" "https://$vault/keys/LFZ3129213-A/$version2"
add_entry "https://$vault" "$long3" "https://$vault:443/keys/Key3/$version3"
entries=$(map)

# Without the settings: another provider than the catalog's, and nothing is changed.
ours
run 1 <<'SQL'
SELECT name FROM sys.databases WHERE state_desc = 'RECOVERY_PENDING' AND name = 'D1';
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
SQL
has '^D1$'
msg 33024
[ "$(catalog)" = "$before" ] || fail 'the catalog was changed'

set_values "provider_guid = $guid" 'provider_version = 03.00.0000.00'
databases_open 'the library'
[ "$(catalog)" = "$before" ] || fail 'the catalog was changed'
[ "$(map)" = "$entries" ] || fail "the connector's branch was changed"
# A key opened again keeps the thumbprint of the branch.
sql <<'SQL'
CREATE DATABASE Again;
GO
USE Again;
CREATE ASYMMETRIC KEY Here FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'LFZ3129213-A', CREATION_DISPOSITION = OPEN_EXISTING;
SELECT thumbprint FROM sys.asymmetric_keys WHERE name = 'Here';
SQL
[ "$(value)" = "0x$short" ] || fail "the connector's thumbprint is not kept"
[ "$(map)" = "$entries" ] || fail "the connector's branch was changed"

# What the library wraps meanwhile must open under the other provider after a way back.
sql <<'SQL'
USE D1;
ALTER DATABASE ENCRYPTION KEY REGENERATE WITH ALGORITHM = AES_256;
SQL
databases_open 'the library, wrapped anew'
theirs
databases_open 'the way back'
ours
databases_open 'forth again'
