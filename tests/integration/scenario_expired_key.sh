#!/bin/sh
# An expired vault key opens what it once encrypted; it encrypts nothing new, and opening it by name warns of the date.
. "$(dirname -- "$0")/scenario.sh"

set_up
if grep -q 'expires' "$folder/vault/akv-ekm.log"; then
    fail 'a warning of a date the key does not have'
fi
# Soon: a warning when the key is opened.
patch_key TdeKey0 "$version" "\"exp\":$(($(date +%s) + 30 * 24 * 3600))"
sql <<'SQL'
CREATE DATABASE Other;
GO
USE Other;
CREATE ASYMMETRIC KEY Here FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
grep -q 'the key expires within 60 days' "$folder/vault/akv-ekm.log" || fail 'no warning 30 days before'

# Past: databases still open, at a start and after SET ONLINE.
patch_key TdeKey0 "$version" "\"exp\":$(($(date +%s) - 3600))"
database_opens
sql <<'SQL'
ALTER DATABASE DemoTde SET OFFLINE;
ALTER DATABASE DemoTde SET ONLINE;
USE DemoTde;
SELECT name FROM people WHERE id = 2;
SQL
has '^Grace Hopper$'
run 1 <<'SQL'
USE Other;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
SQL
msg 15209 5005
database_opens

# Not yet valid: the same the other way round.
patch_key TdeKey0 "$version" "\"exp\":0,\"nbf\":$(($(date +%s) + 3600))"
run 1 <<'SQL'
USE Other;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
SQL
msg 15209 5005
