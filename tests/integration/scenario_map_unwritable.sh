#!/bin/sh
# R61: a map that cannot be written; and the statements of R48, R52 and R55, each left out in turn.
. "$(dirname -- "$0")/scenario.sh"

open_key() {
    cat <<'SQL'
CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
}

start_vault
new_key TdeKey0 >/dev/null

# Without R48's options.
run 1 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER AkvEkm FROM FILE = '$(LIBRARY)';
SQL
msg 33053
set_up_provider

# A folder is in the place of the map: even root cannot write it.
rm -f "$keymap"
mkdir "$keymap"
open_key | run 1
has '^Msg 33049, Level 16, State 2, Line 1$'
has "^Key with name 'TdeKey0' does not exist in the provider or access is denied\. Provider error code: 2058\. (Provider Error - no explanation is available, consult your EKM provider for details)\$"
sql <<'SQL'
SELECT COUNT(*) FROM sys.asymmetric_keys;
SQL
has '^ *0$'
rmdir "$keymap"

# A symbolic link is refused as well, and its target stays as it was.
echo 'not a map' >"$folder/elsewhere"
ln -s "$folder/elsewhere" "$keymap"
open_key | run 1
msg 33049 2058
[ "$(cat "$folder/elsewhere")" = 'not a map' ] || fail 'the target of the link was written'
rm "$keymap"

# The folder is missing, its parent too.
configure "keymap_file = $folder/none/none/keymap"
open_key | run 1
msg 33049 2058
configure "keymap_file = $keymap"

# Somebody holds the lock for longer than a call may take.
configure 'call_timeout_ms = 3000'
exec 9>>"$keymap.lock"
flock 9
open_key | run 1 9>&-
msg 33049 2058
exec 9>&-
configure 'call_timeout_ms = 30000'

# R49: no credential on the login.
sql <<'SQL'
ALTER LOGIN [CONTOSO\dba] DROP CREDENTIAL tde_cred;
SQL
open_key | run 1
msg 33046
sql <<'SQL'
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL tde_cred;
SQL
open_key | sql
[ "$(wc -l <"$keymap")" = 1 ] || fail 'one line in the map'

# R55 left out, one statement after the other.
run 1 <<'SQL'
CREATE DATABASE DemoTde;
GO
USE DemoTde;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256
ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
SQL
msg 33121
run 1 <<'SQL'
CREATE LOGIN TDE_Login FROM ASYMMETRIC KEY TDE_Key;
GO
USE DemoTde;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256
ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
SQL
msg 33046
has "^Server principal 'TDE_Login' has no credential"
sql <<'SQL'
ALTER LOGIN [CONTOSO\dba] DROP CREDENTIAL tde_cred;
ALTER LOGIN TDE_Login ADD CREDENTIAL tde_cred;
USE DemoTde;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256
ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
GO
ALTER DATABASE DemoTde SET ENCRYPTION ON;
SQL

# Without its entry a new process looks the key up in the vault's own list, and writes the map anew.
mv "$keymap" "$folder/saved"
sql <<'SQL'
USE DemoTde;
SQL
cmp -s "$keymap" "$folder/saved" || fail 'the map is not what it was'
