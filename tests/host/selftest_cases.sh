# Cases of selftest.sh: scripts and batches, providers, credentials, logins, keys, data encrypted by keys.

case_batches() {
    X='it''s' sql 1 <<'SQL'
PRINT 'one /* no comment */ -- nor this';
/* a comment with
GO
inside /* nested */ */
PRINT '$(X)'
GO
SELECT 1 AS n, N'zwei' AS [t w o], 0x0AFF AS b, NULL AS z WHERE;
GO
PRINT 'not run'; FROBNICATE everything;
GO 2
DECLARE @a varbinary(10) = 0x01, @b int = 2;
SET @a = @a + 0x02;
SELECT @a AS a, @b + 40 AS b;
GO
SELECT @a;
GO
USE nosuch;
PRINT 'batch given up';
GO
DROP LOGIN nosuch;
PRINT 'goes on';
GO
PRINT 'unclosed
GO
SQL
    has 'one /\* no comment \*/ -- nor this'
    lacks 'not run'
    [ "$(grep -c "Msg 102, Level 15, State 1, Line 1" "$work/out")" = 3 ] || fail "three syntax errors"
    has "Incorrect syntax near 'FROBNICATE'"
    has '^0x0102 42$'
    has '^Msg 137, '
    has '^Msg 911, '
    lacks 'batch given up'
    has '^Msg 15151, Level 16, State 1, Line 1'
    has 'goes on'
    has '^Msg 105, '
    tail -1 "$work/err" | grep -q '^ekmhost: [0-9]* statements, 7 errors$' || fail "the last line"
    sql 1 <<'SQL'
PRINT '$(NOT_SET_ANYWHERE)';
SQL
    has "'NOT_SET_ANYWHERE' scripting variable not defined"
    ekmhost --no-such-option >"$work/out" 2>&1
    [ $? = 2 ] || fail "bad usage must exit with 2"
    ekmhost --data /proc/none/x </dev/null >"$work/out" 2>&1
    [ $? = 3 ] || fail "a folder that cannot be made must exit with 3"
}

case_provider() {
    sql 1 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
SQL
    has '^Msg 33053, '
    sql 1 <<'SQL'
EXEC sp_configure 'EKM provider enabled', 1;
SQL
    has '^Msg 15123, '
    enable_ekm
    long=$(printf '/%0256d' 0)
    LONG=$long NONE="$work/none.so" LACKING="$build/dummy_provider_incomplete.$suffix" sql 1 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(LONG)';
GO
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(NONE)';
GO
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(LACKING)';
GO
SQL
    has '^Msg 33023, '
    has '^Msg 33027, '
    has '^One or more methods cannot be found'
    has "^Msg 33027, Level 16, State 15, "
    logged 'dummy_provider.* is about to be loaded'
    DUMMY_API=2 sql 1 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
SQL
    has '^Msg 33032, '
    DUMMY_OVERWRITE=1 sql 1 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
SQL
    has '^Msg 33029, '
    has 'Provider error code: 0\.'
    DUMMY_FAIL=SqlCryptInitializeProvider=5003 sql 1 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
SQL
    has 'Provider error code: 5003\. (Provider Error - no explanation is available, consult'
    DUMMY_FAIL=SqlCryptGetNextAlgorithmId=3 sql 1 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
SQL
    has '^Msg 33022, '
    sql 1 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
CREATE CRYPTOGRAPHIC PROVIDER Other FROM FILE = '$(PROVIDER)';
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
SELECT name, version, is_enabled FROM sys.cryptographic_providers;
SELECT friendly_name, authentication_type, asymmetric_key_support
FROM sys.dm_cryptographic_provider_properties;
SQL
    head -3 "$work/calls" | tr '\n' ' ' >"$work/first"
    grep -q '^SqlCryptInitializeProvider - SqlCryptGetProviderInfo - SqlCryptGetProviderInfo - $' \
        "$work/first" || fail "the order of calls: $(cat "$work/first")"
    has '^Msg 33026, '
    has '^Msg 15530, '
    has '^Prov 01.00.0000.00 1$'
    has '^Dummy Provider BASIC  *1$'
}

case_catalog() {
    set_up
    DUMMY_GUID=9 sql 1 <<'SQL'
SELECT * FROM sys.dm_cryptographic_provider_algorithms(65536);
SQL
    has '^Msg 33024, '
    DUMMY_VERSION=2 sql 1 <<'SQL'
SELECT * FROM sys.dm_cryptographic_provider_keys(65536);
SQL
    has '^Msg 33029, '
    DUMMY_VERSION=2 sql 1 <<'SQL'
ALTER CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
ALTER CRYPTOGRAPHIC PROVIDER Prov DISABLE;
SELECT * FROM sys.dm_cryptographic_provider_keys(65536);
ALTER CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
ALTER CRYPTOGRAPHIC PROVIDER Prov ENABLE;
SELECT key_name FROM sys.dm_cryptographic_provider_keys(65536);
SELECT version FROM sys.cryptographic_providers;
SQL
    has '^Msg 33071, '
    has '^Msg 33031, '
    has '^TdeKey0$'
    has '^02.00.0000.00$'
    DUMMY_VERSION=2 DUMMY_GUID=7 sql 1 <<'SQL'
ALTER CRYPTOGRAPHIC PROVIDER Prov DISABLE;
ALTER CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
SQL
    has '^Msg 33024, '
    DUMMY_VERSION=2 sql 0 <<'SQL'
ALTER CRYPTOGRAPHIC PROVIDER Prov ENABLE;
SELECT key_name FROM sys.dm_cryptographic_provider_keys(65536);
ALTER CRYPTOGRAPHIC PROVIDER Prov DISABLE;
SELECT key_name AS still FROM sys.dm_cryptographic_provider_keys(65536);
SELECT identity FROM sys.dm_cryptographic_provider_sessions(0);
SQL
    has '^still$'
    has '^vault-a$'
    if grep -q right "$work/data/catalog.json"; then fail "a secret in clear"; fi
    # Wine shows an access list of the account and the system as rights of owner and group.
    rights=$(stat -c %a "$work/data/catalog.json" "$work/data/machine.key" | sort -u)
    case $suffix.$rights in so.600 | dll.7?0) ;; *) fail "rights of the catalog" ;; esac
    rm "$work/data/machine.key"
    DUMMY_VERSION=2 sql 1 <<'SQL'
ALTER CRYPTOGRAPHIC PROVIDER Prov ENABLE;
SELECT key_name FROM sys.dm_cryptographic_provider_keys(65536);
SQL
    has '^Msg 33047, '
}

case_credentials() {
    set_up
    sql 1 <<'SQL'
ALTER LOGIN TDE_Login ADD CREDENTIAL cred;
GO
CREATE CREDENTIAL second WITH IDENTITY = 'vault-b', SECRET = 'right' FOR CRYPTOGRAPHIC PROVIDER Prov;
ALTER LOGIN TDE_Login ADD CREDENTIAL second;
ALTER LOGIN TDE_Login DROP CREDENTIAL second;
DROP CREDENTIAL cred;
DROP CRYPTOGRAPHIC PROVIDER Prov;
DROP ASYMMETRIC KEY TDE_Key;
DROP CREDENTIAL second;
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL cred;
CREATE CREDENTIAL third WITH IDENTITY = 'vault-a', SECRET = 'right' FOR CRYPTOGRAPHIC PROVIDER Prov;
SQL
    for number in 33042 33043 33045 15187 33044; do has "^Msg $number, "; done
    [ "$(grep -c '^Msg 33042, ' "$work/out")" = 2 ] || fail "a credential serves one login"
    has '^Cannot add the credential: it is already mapped to a login.$'
    has 'The credential cannot be dropped'
    has 'The asymmetric key cannot be dropped'
    sql 1 --login 'CONTOSO\other' <<'SQL'
SELECT * FROM sys.dm_cryptographic_provider_keys(65536);
SQL
    has "^Server principal 'CONTOSO.other' has no credential"
    sql 0 --login 'CONTOSO\other' <<'SQL'
ALTER LOGIN [NT SERVICE\MSSQLSERVER] ADD CREDENTIAL third;
SELECT key_name FROM sys.dm_cryptographic_provider_keys(65536);
SQL
    has '^TdeKey0$'
    sql 0 <<'SQL'
SELECT key_name FROM sys.dm_cryptographic_provider_keys(65536);
ALTER CREDENTIAL cred WITH IDENTITY = 'vault-a', SECRET = 'wrong';
SELECT key_name AS old_session FROM sys.dm_cryptographic_provider_keys(65536);
SQL
    calls SqlCryptOpenSession 1
    has '^old_session$'
    sql 1 <<'SQL'
SELECT key_name FROM sys.dm_cryptographic_provider_keys(65536);
SQL
    has '^Msg 33028, '
    has 'Provider error code: 5\. (Authentication Failure)'
}

case_keys() {
    set_up
    new_key Small 1 1024
    DUMMY_FAIL=SqlCryptGetKeyInfoByName=2058 sql 1 <<'SQL'
CREATE ASYMMETRIC KEY k FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
    has '^Msg 33049, Level 16, State 2, Line 1$'
    has "^Key with name 'TdeKey0' does not exist in the provider or access is denied. Provider error code: 2058. (Provider Error - no explanation is available, consult your EKM provider for details)$"
    DUMMY_FAIL=SqlCryptExportKey=5001 sql 1 <<'SQL'
CREATE ASYMMETRIC KEY k FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
    has '^Msg 33037, '
    sql 1 <<'SQL'
CREATE ASYMMETRIC KEY k FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'Nosuch', CREATION_DISPOSITION = OPEN_EXISTING;
GO
CREATE ASYMMETRIC KEY k FROM PROVIDER Prov
WITH ALGORITHM = RSA_2048, PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE ASYMMETRIC KEY again FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE ASYMMETRIC KEY made FROM PROVIDER Prov
WITH ALGORITHM = RSA_3072, PROVIDER_KEY_NAME = 'Made', CREATION_DISPOSITION = CREATE_NEW;
CREATE ASYMMETRIC KEY made2 FROM PROVIDER Prov
WITH ALGORITHM = RSA_3072, PROVIDER_KEY_NAME = 'Made', CREATION_DISPOSITION = CREATE_NEW;
CREATE ASYMMETRIC KEY small FROM PROVIDER Prov
WITH ALGORITHM = RSA_4096, PROVIDER_KEY_NAME = 'Big', CREATION_DISPOSITION = CREATE_NEW;
SELECT name, algorithm_desc, key_length FROM sys.asymmetric_keys WHERE name = 'made';
SQL
    for number in 33049 33034 15396 33035 33039; do has "^Msg $number, "; done
    has '^made RSA_3072  *3072$'
    DUMMY_FAIL=SqlCryptDropKey=1 sql 0 <<'SQL'
DROP ASYMMETRIC KEY made REMOVE PROVIDER KEY;
SQL
    has 'Cannot drop the key with thumbprint'
    sql 0 <<'SQL'
CREATE ASYMMETRIC KEY made FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'Made', CREATION_DISPOSITION = OPEN_EXISTING;
DROP ASYMMETRIC KEY made REMOVE PROVIDER KEY;
SQL
    [ ! -e "$work/keys/Made.1.pem" ] || fail "the key is still in the provider"
    new_key Long 1 3072
    sql 1 --engine-tags RSA_2048 <<'SQL'
CREATE ASYMMETRIC KEY k FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'Long', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
    has '^Msg 33088, '
}

case_columns() {
    set_up
    sql 0 <<'SQL'
CREATE DATABASE Shop;
GO
USE Shop;
CREATE ASYMMETRIC KEY ColKey FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE SYMMETRIC KEY Cards WITH ALGORITHM = AES_256 ENCRYPTION BY ASYMMETRIC KEY ColKey;
CREATE TABLE cards (id int, number varbinary(500));
OPEN SYMMETRIC KEY Cards DECRYPTION BY ASYMMETRIC KEY ColKey;
INSERT INTO cards VALUES (1, ENCRYPTBYKEY(KEY_GUID('Cards'), '4111-1111'));
CLOSE SYMMETRIC KEY Cards;
SELECT id, CONVERT(varchar(30), DECRYPTBYKEY(number)) AS closed FROM cards;
GO
DECLARE @c varbinary(512);
SELECT @c = ENCRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), N'größer');
SELECT CONVERT(nvarchar(20), DECRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), @c)) AS word, DATALENGTH(@c) AS len;
SQL
    has '^1  *NULL$'
    has '^größer 256$'
    sql 1 <<'SQL'
USE Shop;
CLOSE SYMMETRIC KEY Cards;
OPEN SYMMETRIC KEY Cards DECRYPTION BY ASYMMETRIC KEY ColKey;
SELECT id, CONVERT(varchar(30), DECRYPTBYKEY(number)) AS number FROM cards WHERE id = 1 AND id < 2;
DROP ASYMMETRIC KEY ColKey;
SELECT DECRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), 0x00);
SELECT NOSUCH(1);
GO
SELECT nosuch FROM cards;
GO
SELECT * FROM nosuch;
SQL
    has '^1  *4111-1111$'
    for number in 15315 15352 15466 195 207 208; do has "^Msg $number, "; done
    calls SqlCryptOpenSession 1
    calls SqlCryptCloseSession 1
}

# When a running database asks its provider for the key, and the effect of a failure under either assumption.
case_access() {
    set_up
    encrypt_database
    sql 0 <<'SQL'
USE DemoTde;
CHECKPOINT;
BACKUP DATABASE DemoTde TO DISK = '$(BACKUPS)/a.bak';
BACKUP LOG DemoTde TO DISK = '$(BACKUPS)/l.bak';
DBCC CHECKDB;
CREATE DATABASE Shot ON (NAME = DemoTde, FILENAME = '$(BACKUPS)/shot.ss') AS SNAPSHOT OF DemoTde;
USE Shot;
SELECT name FROM people WHERE id = 1;
SQL
    calls SqlCryptDecrypt 6
    has '^CHECKDB found 0 allocation errors'
    has '^Ada Lovelace$'
    sql 1 <<'SQL'
USE Shot;
INSERT INTO people VALUES (9, 'nobody');
GO
USE master;
DROP DATABASE Shot;
DBCC CHECKDB;
DBCC CHECKDB (nosuch);
SQL
    has '^Msg 3906, '
    has '^Msg 911, '
    # Trace flag 15025: none at log files, all the others.
    sql 0 --trace-flag 15025 <<'SQL'
USE DemoTde;
CHECKPOINT;
DBCC CHECKDB (DemoTde);
SQL
    calls SqlCryptDecrypt 2
    for codes in network none; do
        cat >"$work/outage.sql" <<'SQL'
USE DemoTde;
CHECKPOINT;
GO
BACKUP DATABASE DemoTde TO DISK = '$(BACKUPS)/b.bak' WITH INIT;
GO
DBCC CHECKDB (DemoTde);
GO
CREATE DATABASE Shot ON (NAME = DemoTde, FILENAME = '$(BACKUPS)/shot.ss') AS SNAPSHOT OF DemoTde;
GO
SELECT name FROM people WHERE id = 2;
DROP DATABASE Shot;
SQL
        wanted=0
        [ "$codes" = network ] || wanted=1
        DUMMY_FAIL=$(printf 'SqlCryptDecrypt=3102@%s,' 3 4 5 6 7 8 9) \
            sql "$wanted" --outage-codes "$codes" --report <"$work/outage.sql"
        has '^Grace Hopper$'
        errors=$(grep -c '^Msg 15466, ' "$work/out")
        case $codes in
            network) reported 'times with the key in memory 4' ;;
            none)
                reported 'times with the key in memory 0'
                [ "$errors" = 4 ] || fail "$errors statements failed of 4"
                has '^Msg 3013, '
                ;;
        esac
    done
    # A code that is no network outage fails under both assumptions.
    DUMMY_FAIL=SqlCryptDecrypt=5004@3 sql 1 --outage-codes network <<'SQL'
USE DemoTde;
CHECKPOINT;
SQL
    has '^Msg 15466, '
    has 'Provider error code: 5004\.'
    ekmhost --data "$work/data" --outage-codes some </dev/null >"$work/out" 2>&1
    [ $? = 2 ] || fail 'bad usage of --outage-codes'
}

# Messages and names of SQL Server 2025 alone, and messages about things that providers lack.
case_engine() {
    set_up
    encrypt_database
    sql 1 --engine 2025 <<'SQL'
CREATE ASYMMETRIC KEY k FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'Nosuch', CREATION_DISPOSITION = OPEN_EXISTING;
SELECT encryptor_type FROM sys.dm_database_encryption_keys;
SELECT compatibility_level AS level FROM sys.databases WHERE name = 'DemoTde';
SQL
    has '^Msg 37554, Level 16, State 2, '
    has '^ASYMMETRIC KEY_OAEP_256$'
    has '^170$'
    DUMMY_FAIL=SqlCryptInitializeProvider=5003 sql 1 --engine 2025 <<'SQL'
SELECT * FROM sys.dm_cryptographic_provider_keys(65536);
SQL
    has '^Msg 37550, '
    logged 'Error: 37550, '
    sql 1 <<'SQL'
CREATE SYMMETRIC KEY s FROM PROVIDER Prov WITH ALGORITHM = AES_256, PROVIDER_KEY_NAME = 's';
CREATE SYMMETRIC KEY [#s] FROM PROVIDER Prov WITH ALGORITHM = AES_256, PROVIDER_KEY_NAME = 's';
CREATE ASYMMETRIC KEY p FROM PROVIDER Prov WITH PROVIDER_KEY_NAME = 'TdeKey0',
CREATION_DISPOSITION = OPEN_EXISTING ENCRYPTION BY PASSWORD = 'word';
SELECT encryptor_type FROM sys.dm_database_encryption_keys;
SQL
    for number in 33083 33052 33040; do has "^Msg $number, "; done
    has '^ASYMMETRIC KEY$'
    DUMMY_FAIL=SqlCryptGetAlgorithmInfo=7@5 sql 1 <<'SQL'
SELECT key_name FROM sys.dm_cryptographic_provider_keys(65536);
SQL
    has '^Msg 33051, '
    sql 1 <<'SQL'
CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Word-0';
GO
CREATE CERTIFICATE c WITH SUBJECT = 'c', EXPIRY_DATE = '20300101';
GO
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER CERTIFICATE c;
GO
OPEN MASTER KEY DECRYPTION BY PASSWORD = 'Word-0';
GO
SQL
    [ "$(grep -c 'plays no certificates and no master keys' "$work/out")" = 4 ] || fail 'what is not played is not named'
}

# A library that is unloaded and loaded again between statements.
case_reload() {
    set_up
    encrypt_database
    sql 0 --reload <<'SQL'
SELECT key_name FROM sys.dm_cryptographic_provider_keys(65536);
SELECT key_name FROM sys.dm_cryptographic_provider_keys(65536);
USE DemoTde;
CHECKPOINT;
SELECT name FROM people WHERE id = 1;
SQL
    has '^Ada Lovelace$'
    [ "$(grep -c '^TdeKey0$' "$work/out")" = 2 ] || fail 'the keys twice'
    calls SqlCryptInitializeProvider 3
    calls SqlCryptFreeProvider 3
    calls SqlCryptOpenSession 4
    calls SqlCryptCloseSession 4
}
