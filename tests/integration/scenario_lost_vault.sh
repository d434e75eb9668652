#!/bin/sh
# C4: the vault is lost, its key is restored in a second vault, the credential's IDENTITY altered: databases open.
. "$(dirname -- "$0")/scenario.sh"

second="second-vault.vault.azure.net"

set_up
thumbprint=$(thumbprint_of TDE_Key)
pem_of TdeKey0 "$version" >"$folder/backup.pem"
ctl DELETE "/vaults/$vault" >/dev/null
run 1 <<'SQL'
SELECT name, state_desc FROM sys.databases WHERE name = 'DemoTde';
USE DemoTde;
SQL
has '^DemoTde  *RECOVERY_PENDING$'

# A restored key keeps name and version.
pem=$(awk '{ printf "%s\\n", $0 }' "$folder/backup.pem")
ctl POST /keys "{\"vault\":\"$second\",\"name\":\"TdeKey0\",\"version\":\"$version\",\"pem\":\"$pem\"}" >/dev/null
rm "$folder/backup.pem"
VAULT=second-vault sql <<'SQL'
ALTER CREDENTIAL tde_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)';
ALTER CREDENTIAL login_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)';
GO
ALTER DATABASE DemoTde SET ONLINE;
GO
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SQL
has '^Ada Lovelace$'
database_opens

# It is now known for this vault as well: the old entries are not needed any more.
grep "second-vault" "$keymap" | grep -q "	$thumbprint	https://$second/keys/TdeKey0/$version\$" ||
    fail 'the key in the second vault is not in the map'
grep second-vault "$keymap" >"$folder/rest"
cp "$folder/rest" "$keymap"
database_opens
# And the key opens by name there under the same thumbprint.
sql <<'SQL'
CREATE DATABASE Other;
GO
USE Other;
CREATE ASYMMETRIC KEY Here FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
SELECT thumbprint FROM sys.asymmetric_keys WHERE name = 'Here';
SQL
[ "$(value)" = "0x$thumbprint" ] || fail 'another thumbprint in the second vault'
expect_counter leaked_secrets 0
