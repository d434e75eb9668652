# Cases of selftest.sh: databases under an encryption key, restarts, rotation, backups, clean-up in and out of order.

encrypted_pages() { # FILE: nothing of the rows in clear
    if grep -aq 'Lovelace' "$1"; then fail "rows in clear in $1"; fi
}

case_article() {
    set_up
    encrypt_database
    calls SqlCryptEncrypt 1
    calls SqlCryptDecrypt 0
    for file in "$work/data"/*; do encrypted_pages "$file"; done
    sql 0 <<'SQL'
SELECT name, algorithm_desc, thumbprint FROM sys.asymmetric_keys;
SELECT encryptor_type, encryption_state_desc, encryptor_thumbprint
FROM sys.dm_database_encryption_keys WHERE database_id = DB_ID('DemoTde');
USE DemoTde;
SELECT * FROM people;
SQL
    calls SqlCryptDecrypt 1
    has '^TDE_Key RSA_2048  *0x[0-9A-F]\{40\}$'
    has '^ASYMMETRIC KEY[A-Z_0-9]* ENCRYPTED  *0x[0-9A-F]\{40\}$'
    has '^2  Grace Hopper$'
    sql 1 <<'SQL'
DROP CRYPTOGRAPHIC PROVIDER Prov;
DROP CREDENTIAL cred;
DROP ASYMMETRIC KEY TDE_Key;
DROP LOGIN TDE_Login;
DROP ASYMMETRIC KEY TDE_Key;
USE DemoTde;
DROP DATABASE DemoTde;
SQL
    for number in 33044 15187 33127 3702; do has "^Msg $number, "; done
    sql 1 <<'SQL'
ALTER DATABASE DemoTde SET SINGLE_USER WITH ROLLBACK IMMEDIATE;
DROP DATABASE DemoTde;
GO
ALTER LOGIN [CONTOSO\dba] DROP CREDENTIAL cred;
DROP CREDENTIAL cred;
DROP CREDENTIAL tde_cred;
DROP ASYMMETRIC KEY TDE_Key;
DROP CRYPTOGRAPHIC PROVIDER Prov;
DROP CRYPTOGRAPHIC PROVIDER Prov;
SQL
    has "^Msg 15151, Level 16, State 1, Line 6$"
    [ "$(grep -c '^Msg' "$work/out")" = 1 ] || fail "only the last statement may fail"
    [ ! -e "$work/data/DemoTde.mdf" ] || fail "the dropped database's file is there"
}

case_order() { # each statement of R55 left out gives its error
    set_up
    sql 1 <<'SQL'
CREATE DATABASE D;
GO
USE master;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
USE D;
ALTER DATABASE D SET ENCRYPTION ON;
ALTER DATABASE ENCRYPTION KEY ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY Nosuch;
ALTER LOGIN TDE_Login DROP CREDENTIAL tde_cred;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
DROP LOGIN TDE_Login;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
SQL
    for number in 33102 33106 5069 33104 15151 33046 33121; do has "^Msg $number, "; done
    sql 1 <<'SQL'
CREATE LOGIN TDE_Login FROM ASYMMETRIC KEY TDE_Key;
ALTER LOGIN TDE_Login ADD CREDENTIAL tde_cred;
USE D;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_128 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_128 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
ALTER DATABASE D SET ENCRYPTION OFF;
ALTER DATABASE D SET ENCRYPTION ON;
ALTER DATABASE D SET ENCRYPTION ON;
DROP DATABASE ENCRYPTION KEY;
ALTER DATABASE D SET ENCRYPTION OFF;
DROP DATABASE ENCRYPTION KEY;
SQL
    for number in 33103 33108 33107 33105; do has "^Msg $number, "; done
    DUMMY_FAIL=SqlCryptEncrypt=5001 sql 1 <<'SQL'
USE D;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
SQL
    has '^Msg 15209, '
    has 'Provider error code: 5001\.'
}

case_rotation() { # R64 to R72
    set_up
    encrypt_database
    sql 0 <<'SQL'
BACKUP DATABASE DemoTde TO DISK = '$(BACKUPS)/old.bak';
SQL
    open_second_version
    tail -c +8193 "$work/data/DemoTde.mdf" | cksum >"$work/before"
    sql 0 <<'SQL'
USE DemoTde;
ALTER DATABASE ENCRYPTION KEY ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key2;
SELECT COUNT(*) FROM sys.dm_db_log_info(DB_ID()) WHERE vlf_encryptor_thumbprint IS NOT NULL;
SQL
    calls SqlCryptDecrypt 2
    calls SqlCryptEncrypt 1
    has '^2$'
    tail -c +8193 "$work/data/DemoTde.mdf" | cksum | cmp -s - "$work/before" || fail "pages changed"
    touch "$work/keys/TdeKey0.1.disabled"
    sql 1 <<'SQL'
SELECT name, state_desc FROM sys.databases WHERE name = 'DemoTde';
USE DemoTde;
GO
ALTER DATABASE DemoTde SET ONLINE;
SQL
    has '^DemoTde RECOVERY_PENDING$'
    for number in 926 15466 5181 5069; do has "^Msg $number, "; done
    logged "Database 'DemoTde': Error: 15466.*Provider error code: 5004\."
    rm "$work/keys/TdeKey0.1.disabled"
    sql 0 <<'SQL'
USE DemoTde;
BACKUP LOG DemoTde TO DISK = '$(BACKUPS)/log.bak';
SELECT COUNT(*) FROM sys.dm_db_log_info(DB_ID());
SQL
    calls SqlCryptDecrypt 3
    has '^1$'
    touch "$work/keys/TdeKey0.1.disabled"
    sql 0 <<'SQL'
USE DemoTde;
SELECT name FROM people WHERE id = 2;
SQL
    calls SqlCryptDecrypt 1
    has '^Grace Hopper$'
    sql 1 <<'SQL'
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/old.bak' WITH REPLACE;
SQL
    has '^Msg 3013, '
    rm "$work/keys/TdeKey0.1.disabled"
    sql 1 <<'SQL'
USE DemoTde;
INSERT INTO people VALUES (3, 'newer than the backup');
USE master;
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/old.bak';
RESTORE DATABASE storm FROM DISK = '$(BACKUPS)/old.bak';
RESTORE DATABASE storm FROM DISK = '$(BACKUPS)/old.bak' WITH REPLACE, RECOVERY;
USE DemoTde;
SELECT name FROM people WHERE id = 3;
SQL
    has '^Msg 3159, '
    has '^newer than the backup$'
    calls SqlCryptDecrypt 3
    sql 0 <<'SQL'
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/old.bak' WITH REPLACE;
SELECT COUNT(*) AS rows_now FROM sys.databases WHERE name = 'storm';
USE DemoTde;
ALTER DATABASE ENCRYPTION KEY REGENERATE WITH ALGORITHM = AES_192;
SELECT name, 'after' FROM people WHERE id = 1;
SELECT key_length FROM sys.dm_database_encryption_keys;
SQL
    has '^Ada Lovelace after$'
    has '^192$'
}

case_restart() {
    set_up
    encrypt_database
    sql 0 <<'SQL'
ALTER DATABASE DemoTde SET OFFLINE;
SQL
    sql 1 <<'SQL'
USE DemoTde;
GO
ALTER DATABASE DemoTde SET ONLINE;
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SQL
    has '^Msg 942, '
    has '^Ada Lovelace$'
    calls SqlCryptDecrypt 1
    # a running database asks again at a new log segment, and uses the key in memory if that fails
    DUMMY_FAIL=SqlCryptDecrypt=5001@3 sql 0 <<'SQL'
USE DemoTde;
CHECKPOINT;
INSERT INTO people VALUES (3, 'Katherine Johnson');
SQL
    logged 'Provider error code: 5001\.'
    logged 'goes on with the key in memory'
    sql 0 <<'SQL'
USE DemoTde;
SELECT name FROM people WHERE id = 3;
SHUTDOWN;
PRINT 'too late';
SQL
    has '^Katherine Johnson$'
    lacks 'too late'
    sql 1 <<'SQL'
ALTER CRYPTOGRAPHIC PROVIDER Prov DISABLE;
ALTER DATABASE DemoTde SET OFFLINE;
ALTER DATABASE DemoTde SET ONLINE;
SQL
    has '^Msg 33031, '
}

case_elsewhere() { # another server: attach, restore, encrypted backup
    set_up
    encrypt_database
    sql 0 <<'SQL'
BACKUP DATABASE DemoTde TO DISK = '$(BACKUPS)/plain.bak';
BACKUP DATABASE DemoTde TO DISK = '$(BACKUPS)/sealed.bak'
WITH COMPRESSION, ENCRYPTION (ALGORITHM = AES_256, SERVER ASYMMETRIC KEY = TDE_Key), STATS = 10;
EXEC sp_detach_db 'DemoTde';
SQL
    calls SqlCryptEncrypt 1
    for part in mdf 1.ldf 2.ldf; do cp "$work/data/DemoTde.$part" "$work/moved.$part"; done
    encrypted_pages "$work/plain.bak"
    data="$work/second"
    enable_ekm
    sql 1 <<'SQL'
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/plain.bak';
GO
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/sealed.bak';
GO
CREATE DATABASE DemoTde ON (FILENAME = '$(BACKUPS)/moved.mdf') FOR ATTACH;
GO
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/nosuch.bak';
SELECT COUNT(*) AS n FROM sys.databases;
SQL
    [ "$(grep -c '^Msg 33111, ' "$work/out")" = 3 ] || fail "33111 three times"
    [ "$(grep -c '^Msg 3013, ' "$work/out")" = 3 ] || fail "3013 for each RESTORE"
    has '^Msg 3201, '
    has '^4$'
    [ ! -s "$work/calls" ] || fail "the provider was called"
    sql 0 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
CREATE CREDENTIAL cred WITH IDENTITY = 'vault-a', SECRET = 'right' FOR CRYPTOGRAPHIC PROVIDER Prov;
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL cred;
CREATE ASYMMETRIC KEY Here FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN Here_Login FROM ASYMMETRIC KEY Here;
CREATE CREDENTIAL here_cred WITH IDENTITY = 'vault-a', SECRET = 'right' FOR CRYPTOGRAPHIC PROVIDER Prov;
ALTER LOGIN Here_Login ADD CREDENTIAL here_cred;
GO
RESTORE DATABASE Plain FROM DISK = '$(BACKUPS)/plain.bak';
RESTORE DATABASE Sealed FROM DISK = '$(BACKUPS)/sealed.bak';
CREATE DATABASE Attached ON (FILENAME = '$(BACKUPS)/moved.mdf') FOR ATTACH;
GO
USE Plain; SELECT name AS plain FROM people WHERE id = 1;
USE Sealed; SELECT name AS sealed FROM people WHERE id = 1;
USE Attached; SELECT name AS attached FROM people WHERE id = 1;
SQL
    [ "$(grep -c '^Ada Lovelace$' "$work/out")" = 3 ] || fail "the rows of three databases"
    calls SqlCryptDecrypt 4
}

case_storm() {
    set_up
    sql 0 --make-databases 24:TDE_Key </dev/null
    calls SqlCryptEncrypt 24
    sql 0 --sessions 8 <<'SQL'
SELECT COUNT(*) FROM sys.databases WHERE is_encrypted = 1 AND state_desc = 'ONLINE';
USE storm17;
SELECT name FROM t;
SQL
    has '^24$'
    has '^row of storm17$'
    calls SqlCryptDecrypt 24
    DUMMY_FAIL=SqlCryptOpenSession=5001@5 sql 0 --sessions 8 <<'SQL'
SELECT COUNT(*) FROM sys.databases WHERE state_desc = 'RECOVERY_PENDING';
SQL
    has '^1$'
    sql 0 --sessions 8 --report --storm recover:1 </dev/null
    reported 'databases ONLINE 24'
    reported 'databases RECOVERY_PENDING 0'
    logged 'storm: all databases recovered [1-9]'
    count=$(sed -n 's/^report: recoveries \([0-9]*\), failed 0, .*/\1/p' "$work/err")
    calls SqlCryptDecrypt "$count"
    [ "${count:-0}" -ge 48 ] || fail "$count recoveries"
    # A database whose key cannot be unwrapped again uses the key in memory, and keeps every row.
    DUMMY_FAIL=SqlCryptDecrypt=5001@70 sql 0 --sessions 8 --report --storm write:2 </dev/null
    reported 'databases ONLINE 24'
    reported 'times with the key in memory 1'
    written=$(sed -n 's/^report: statements \([0-9]*\), failed 0, .*/\1/p' "$work/err")
    [ "${written:-0}" -ge 48 ] || fail "$written statements"
    { for i in $(seq 24); do printf 'USE storm%s;\nSELECT name FROM t;\nGO\n' "$i"; done; } | sql 0
    count=$(grep -c '^written in a storm$' "$work/out")
    [ "$count" = $((written / 2)) ] || fail "$count rows of $((written / 2))"
}
