#!/bin/sh
# A database moves to another machine after its vault key was rotated: the engine finds the key by thumbprint in its own
# master only, the bare name gives the newest version, and the old one must be opened by name/version.
. "$(dirname -- "$0")/scenario.sh"

set_up
version1=$version
thumbprint=$(thumbprint_of TDE_Key)
version2=$(new_key TdeKey0)
sql <<'SQL'
BACKUP LOG DemoTde TO DISK = '$(BACKUPS)/log.bak';
BACKUP DATABASE DemoTde TO DISK = '$(BACKUPS)/demo.bak';
EXEC sp_detach_db 'DemoTde';
SQL
for file in "$server"/DemoTde.*; do
    cp "$file" "$folder/moved.${file#*DemoTde.}"
done

# The other machine has a map of its own.
server=$folder/other
keymap=$folder/other-keymap
configure "keymap_file = $keymap"
set_up_provider
set_up_key
[ "$(thumbprint_of TDE_Key)" != "$thumbprint" ] || fail 'the bare name must give the newest version'
map_has "$(thumbprint_of TDE_Key)" "TdeKey0/$version2"
run 1 <<'SQL'
CREATE DATABASE DemoTde ON (FILENAME = '$(BACKUPS)/moved.mdf') FOR ATTACH;
GO
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/demo.bak';
SQL
[ "$(grep -c '^Msg 33111, ' "$folder/out")" = 2 ] || fail 'Msg 33111 for each'
grep -q "0x$thumbprint" "$folder/out" || fail 'Msg 33111 names the thumbprint'
msg 3013
calls SqlCryptDecrypt 0
calls SqlCryptOpenSession 0

KEY="TdeKey0/$version1" sql <<'SQL'
CREATE ASYMMETRIC KEY Old_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = '$(KEY)', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN Old_Login FROM ASYMMETRIC KEY Old_Key;
CREATE CREDENTIAL old_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN Old_Login ADD CREDENTIAL old_cred;
SQL
[ "$(thumbprint_of Old_Key)" = "$thumbprint" ] || fail 'another thumbprint on another machine'
map_has "$thumbprint" "TdeKey0/$version1"
sql <<'SQL'
CREATE DATABASE DemoTde ON (FILENAME = '$(BACKUPS)/moved.mdf') FOR ATTACH;
GO
RESTORE DATABASE Second FROM DISK = '$(BACKUPS)/demo.bak';
GO
USE DemoTde;
SELECT name FROM people WHERE id = 1;
USE Second;
SELECT name FROM people WHERE id = 2;
SQL
has '^Ada Lovelace$'
has '^Grace Hopper$'
database_opens
