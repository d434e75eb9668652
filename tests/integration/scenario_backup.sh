#!/bin/sh
# Backups: of an encrypted database, under a backup key of its own, and restored on another server.
. "$(dirname -- "$0")/scenario.sh"

set_up
new_key BackupKey 4096 >/dev/null
sql <<'SQL'
BACKUP LOG DemoTde TO DISK = '$(BACKUPS)/log.bak';
CREATE ASYMMETRIC KEY Backup_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'BackupKey', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN Backup_Login FROM ASYMMETRIC KEY Backup_Key;
CREATE CREDENTIAL backup_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN Backup_Login ADD CREDENTIAL backup_cred;
CREATE DATABASE Clear;
GO
USE Clear;
CREATE TABLE people (id int, name varchar(40));
INSERT INTO people VALUES (1, 'Ada Lovelace');
SQL
reset_counters
sql <<'SQL'
BACKUP DATABASE DemoTde TO DISK = '$(BACKUPS)/tde.bak';
BACKUP DATABASE DemoTde TO DISK = '$(BACKUPS)/both.bak'
WITH ENCRYPTION (ALGORITHM = AES_256, SERVER ASYMMETRIC KEY = Backup_Key);
BACKUP DATABASE Clear TO DISK = '$(BACKUPS)/sealed.bak'
WITH ENCRYPTION (ALGORITHM = AES_256, SERVER ASYMMETRIC KEY = Backup_Key);
SQL
expect_counter wrapkey 2
if grep -qa 'Ada Lovelace' "$folder/tde.bak" "$folder/both.bak" "$folder/sealed.bak"; then
    fail 'a row is readable in a backup'
fi

# Another server: without the keys nothing can be restored, and nobody is asked.
server=$folder/other
enable_ekm
reset_counters
run 1 <<'SQL'
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/tde.bak';
GO
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/both.bak';
SQL
[ "$(grep -c '^Msg 33111, ' "$folder/out")" = 2 ] || fail 'Msg 33111 for each backup'
msg 3013
expect_counter requests 0
set_up_provider
sql <<'SQL'
CREATE ASYMMETRIC KEY Backup_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'BackupKey', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN Backup_Login FROM ASYMMETRIC KEY Backup_Key;
CREATE CREDENTIAL backup_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN Backup_Login ADD CREDENTIAL backup_cred;
SQL
reset_counters
sql <<'SQL'
RESTORE DATABASE Clear FROM DISK = '$(BACKUPS)/sealed.bak';
GO
USE Clear;
SELECT name FROM people WHERE id = 1;
SQL
has '^Ada Lovelace$'
expect_counter unwrapkey 1
# Both keys are needed for a TDE database backed up under another key.
run 1 <<'SQL'
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/both.bak';
SQL
msg 33111
set_up_key
reset_counters
sql <<'SQL'
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/both.bak';
GO
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SQL
has '^Ada Lovelace$'
expect_counter unwrapkey 2
database_opens
