#!/bin/sh
# R71, R72: after a rotation the old version is still needed by live log segments and old backups.
. "$(dirname -- "$0")/scenario.sh"

set_up
version1=$version
sql <<'SQL'
BACKUP DATABASE DemoTde TO DISK = '$(BACKUPS)/old.bak';
SQL
new_key TdeKey0 >/dev/null
sql <<'SQL'
CREATE ASYMMETRIC KEY TDE_Key2 FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login2 FROM ASYMMETRIC KEY TDE_Key2;
CREATE CREDENTIAL tde_cred2 WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN TDE_Login2 ADD CREDENTIAL tde_cred2;
USE DemoTde;
GO
ALTER DATABASE ENCRYPTION KEY ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key2;
GO
SELECT COUNT(*) FROM sys.dm_db_log_info(DB_ID()) WHERE vlf_encryptor_thumbprint IS NOT NULL;
SQL
has '^ *2$'

# Disabled too early: the restart leaves the database pending, with the code that says why.
patch_key TdeKey0 "$version1" '"enabled":false'
run 1 <<'SQL'
SELECT name, state_desc FROM sys.databases WHERE name = 'DemoTde';
USE DemoTde;
GO
ALTER DATABASE DemoTde SET ONLINE;
SQL
has '^DemoTde  *RECOVERY_PENDING$'
msg 926
msg 5069
logged "Database 'DemoTde': .*Provider error code: 5004\."

# Enabled again: the pending database opens, in the same run of the server.
cat >"$folder/pending.sql" <<'SQL'
SELECT state_desc FROM sys.databases WHERE name = 'DemoTde';
SQL
patch_key TdeKey0 "$version1" '"enabled":true'
sql <<'SQL'
ALTER DATABASE DemoTde SET OFFLINE;
GO
ALTER DATABASE DemoTde SET ONLINE;
GO
USE DemoTde;
SELECT name FROM people WHERE id = 1;
GO
BACKUP LOG DemoTde TO DISK = '$(BACKUPS)/log.bak';
SELECT COUNT(*) FROM sys.dm_db_log_info(DB_ID());
SQL
has '^Ada Lovelace$'
[ "$(value)" = 1 ] || fail 'BACKUP LOG must free the old segments'

# Now it may be disabled: nothing live is under it.
patch_key TdeKey0 "$version1" '"enabled":false'
reset_counters
database_opens
expect_counter unwrapkey 1

# The old backup alone still needs it.
run 1 <<'SQL'
RESTORE DATABASE OldDemo FROM DISK = '$(BACKUPS)/old.bak';
SQL
grep -q 'Provider error code: 5004\.' "$folder/out" || fail 'RESTORE without 5004'
msg 3013
database_opens
patch_key TdeKey0 "$version1" '"enabled":true'
sql <<'SQL'
RESTORE DATABASE OldDemo FROM DISK = '$(BACKUPS)/old.bak';
GO
USE OldDemo;
SELECT name FROM people WHERE id = 1;
SQL
has '^Ada Lovelace$'
