#!/bin/sh
# Column encryption: a symmetric key under a vault's key, and values encrypted by the vault's key itself.
. "$(dirname -- "$0")/scenario.sh"

start_vault
new_key ColKey 3072 >/dev/null
set_up_provider
sql <<'SQL'
CREATE DATABASE Shop;
GO
USE Shop;
CREATE ASYMMETRIC KEY ColKey FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'ColKey', CREATION_DISPOSITION = OPEN_EXISTING;
GO
CREATE SYMMETRIC KEY Cards WITH ALGORITHM = AES_256 ENCRYPTION BY ASYMMETRIC KEY ColKey;
CREATE TABLE cards (id int, number varbinary(500), holder varbinary(600));
OPEN SYMMETRIC KEY Cards DECRYPTION BY ASYMMETRIC KEY ColKey;
INSERT INTO cards VALUES (1, ENCRYPTBYKEY(KEY_GUID('Cards'), '4111-1111-1111'),
    ENCRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), N'Zoë Größer'));
CLOSE SYMMETRIC KEY Cards;
SQL
calls SqlCryptEncrypt 2
calls SqlCryptDecrypt 1
if grep -qa -e '4111-1111' -e 'Zo' "$server"/Shop.mdf; then
    fail 'a column is readable on disk'
fi

reset_counters
sql <<'SQL'
USE Shop;
SELECT id, CONVERT(varchar(30), DECRYPTBYKEY(number)) AS closed FROM cards;
OPEN SYMMETRIC KEY Cards DECRYPTION BY ASYMMETRIC KEY ColKey;
SELECT id, CONVERT(varchar(30), DECRYPTBYKEY(number)) AS number FROM cards;
SELECT CONVERT(nvarchar(30), DECRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), holder)) AS holder FROM cards;
SELECT DATALENGTH(holder) AS length FROM cards;
SQL
has '^ *1  *NULL$'
has '^ *1  *4111-1111-1111$'
has '^Zoë Größer$'
[ "$(value)" = 384 ] || fail 'a 3072-bit key gives 384 bytes'
expect_counter unwrapkey 2
calls SqlCryptOpenSession 1
calls SqlCryptCloseSession 1

# A login without a credential, and one with the wrong rights at the vault.
run 1 --login 'CONTOSO\clerk' <<'SQL'
USE Shop;
OPEN SYMMETRIC KEY Cards DECRYPTION BY ASYMMETRIC KEY ColKey;
SQL
msg 33046
ctl POST /clients '{"client_id":"22222222-2222-4333-8444-555555555555","secrets":["Other~Secret"],
    "permissions":["get"]}' >/dev/null
OTHER=22222222222243338444555555555555Other~Secret run 1 --login 'CONTOSO\clerk' <<'SQL'
CREATE CREDENTIAL clerk_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(OTHER)' FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN [CONTOSO\clerk] ADD CREDENTIAL clerk_cred;
USE Shop;
OPEN SYMMETRIC KEY Cards DECRYPTION BY ASYMMETRIC KEY ColKey;
GO
SELECT ENCRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), 'x');
GO
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
SQL
[ "$(grep -c 'Provider error code: 3113\.' "$folder/out")" -ge 2 ] || fail 'without the right to unwrap: 3113'

# Too long for the key's algorithm: refused before it is sent.
LONG=$(printf '%0400d' 7)
export LONG
reset_counters
run 1 <<'SQL'
USE Shop;
SELECT ENCRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), '$(LONG)');
SQL
msg 15209 6
expect_counter wrapkey 0
