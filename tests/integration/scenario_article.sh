#!/bin/sh
# The article from R48 to R59 in every cloud of R51, with the statements, values and files it leads to.
. "$(dirname -- "$0")/scenario.sh"

# article IDENTITY HOST KTY BITS
article() {
    host=$2
    export VAULT="$1"
    server=$folder/$host
    version=$(new_key TdeKey0 "$4" "$host" "$3")
    reset_counters
    sql <<'SQL'
USE master;
GO
EXEC sp_configure 'show advanced options', 1;
GO
RECONFIGURE;
GO
EXEC sp_configure 'EKM provider enabled', 1;
GO
RECONFIGURE;
GO
CREATE CRYPTOGRAPHIC PROVIDER AkvEkm
FROM FILE = '$(LIBRARY)';
GO
USE master;
CREATE CREDENTIAL tde_cred
    WITH IDENTITY = '$(VAULT)',
    SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL tde_cred;
GO
CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
GO
CREATE LOGIN TDE_Login FROM ASYMMETRIC KEY TDE_Key;
ALTER LOGIN [CONTOSO\dba] DROP CREDENTIAL tde_cred;
ALTER LOGIN TDE_Login ADD CREDENTIAL tde_cred;
GO
CREATE DATABASE DemoTde;
GO
USE DemoTde;
CREATE TABLE people (id int, name varchar(40));
INSERT INTO people VALUES (1, 'Ada Lovelace'), (2, 'Grace Hopper');
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256
ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
GO
ALTER DATABASE DemoTde SET ENCRYPTION ON;
GO
BACKUP LOG DemoTde TO DISK = '$(BACKUPS)/log.bak';
GO
SQL
    calls SqlCryptEncrypt 1
    calls SqlCryptDecrypt 1
    # challenge, token, key, wrapKey, unwrapKey at the backup; export and other sessions ask nobody
    expect_counter requests 5
    if grep -qa 'Ada Lovelace' "$server"/DemoTde.*; then
        fail "a row is readable on disk"
    fi
    # R57, R58 after a restart, with the thumbprint of R47's map in both
    reset_counters
    sql <<'SQL'
SELECT name, algorithm_desc, thumbprint FROM sys.asymmetric_keys;
SELECT encryptor_type, encryption_state_desc, encryptor_thumbprint
FROM sys.dm_database_encryption_keys WHERE database_id = DB_ID('DemoTde');
SELECT friendly_name, authentication_type, asymmetric_key_support
FROM sys.dm_cryptographic_provider_properties;
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SQL
    calls SqlCryptDecrypt 1
    expect_counter unwrapkey 1
    expect_counter requests 3
    has "^TDE_Key  *RSA_$4  *0x[0-9A-F]\{40\}$"
    has '^ASYMMETRIC KEY[A-Z_0-9]*  *ENCRYPTED  *0x[0-9A-F]\{40\}$'
    has '^Azure Key Vault EKM Provider (akv-ekm)  *BASIC  *1$'
    has '^Ada Lovelace$'
    thumbprint=$(sed -n 's/^TDE_Key .*0x//p' "$folder/out")
    has "^ASYMMETRIC KEY .* 0x$thumbprint\$"
    grep "	$thumbprint	" "$keymap" >"$folder/entries" || fail "the map lacks $thumbprint"
    grep -q "^\(https://\)\{0,1\}$host	$thumbprint	https://$host/keys/TdeKey0/$version\$" "$folder/entries" ||
        fail "the map's entry is not that of R47: $(cat "$folder/entries")"
    # R59
    sql <<'SQL'
USE master;
GO
ALTER DATABASE DemoTde SET SINGLE_USER WITH ROLLBACK IMMEDIATE;
DROP DATABASE DemoTde;
GO
ALTER LOGIN TDE_Login DROP CREDENTIAL tde_cred;
DROP LOGIN TDE_Login;
GO
DROP CREDENTIAL tde_cred;
GO
DROP ASYMMETRIC KEY TDE_Key;
DROP CRYPTOGRAPHIC PROVIDER AkvEkm;
GO
SELECT COUNT(*) FROM sys.asymmetric_keys;
SELECT COUNT(*) FROM sys.credentials;
SELECT COUNT(*) FROM sys.cryptographic_providers;
SQL
    [ "$(grep -c '^ *0$' "$folder/out")" = 3 ] || fail 'something was left behind'
    # R60: the map outlives them; the vault's key was never touched
    map_has "$thumbprint" "TdeKey0/$version"
    expect_counter delete 0
    check_secrets
}

start_vault
article contoso-vault contoso-vault.vault.azure.net RSA 2048
article contoso-vault.vault.usgovcloudapi.net contoso-vault.vault.usgovcloudapi.net RSA 3072
article contoso-vault.vault.azure.cn contoso-vault.vault.azure.cn RSA-HSM 2048
article contoso-vault.vault.microsoftazure.de contoso-vault.vault.microsoftazure.de RSA 4096
article contoso-hsm.managedhsm.azure.net contoso-hsm.managedhsm.azure.net RSA-HSM 3072
expect_counter leaked_secrets 0
