#!/bin/sh
# Registration and upgrade (C5): DISABLE, FROM FILE with a copy under a new path, ENABLE; and what is refused.
. "$(dirname -- "$0")/scenario.sh"

LIBRARY2=$folder/libakvekm-2.so
DUMMY=$build/dummy_provider.so
export LIBRARY2 DUMMY

set_up
cp "$LIBRARY" "$LIBRARY2"

sql <<'SQL'
SELECT name, guid, version, dll_path, is_enabled FROM sys.cryptographic_providers;
SELECT algorithm_tag, key_length FROM sys.dm_cryptographic_provider_algorithms(65536);
SELECT key_name, algorithm_tag FROM sys.dm_cryptographic_provider_keys(65536);
SELECT identity FROM sys.dm_cryptographic_provider_sessions(0);
SQL
has '8F3C6A1E-5D2B-4E79-9C41-7A0E2B6D5F13  *01\.00\.0000\.00 '
for bits in 2048 3072 4096; do
    has "^RSA_$bits  *$bits\$"
done
has '^TdeKey0  *RSA_2048$'
has '^contoso-vault$'

# The upgrade, while a database is open: sessions that are open live on, new ones use the copy.
run 1 <<'SQL'
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm FROM FILE = '$(LIBRARY2)';
SQL
msg 33071
sql <<'SQL'
SELECT COUNT(*) AS before FROM sys.dm_cryptographic_provider_keys(65536);
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm DISABLE;
SELECT COUNT(*) AS still FROM sys.dm_cryptographic_provider_keys(65536);
GO
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm FROM FILE = '$(LIBRARY2)';
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm ENABLE;
GO
SELECT COUNT(*) AS after FROM sys.dm_cryptographic_provider_keys(65536);
USE DemoTde;
ALTER DATABASE ENCRYPTION KEY REGENERATE WITH ALGORITHM = AES_256;
SELECT name FROM people WHERE id = 1;
SELECT dll_path FROM sys.cryptographic_providers;
SQL
has '^Ada Lovelace$'
has 'libakvekm-2\.so$'
database_opens

# Disabled: new connections are refused, and a start finds no way to open the database.
sql <<'SQL'
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm DISABLE;
SQL
run 1 <<'SQL'
SELECT state_desc FROM sys.databases WHERE name = 'DemoTde';
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
SQL
msg 33031
has '^RECOVERY_PENDING$'
sql <<'SQL'
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm ENABLE;
ALTER DATABASE DemoTde SET ONLINE;
USE DemoTde;
SQL

# What is refused: the wrong file, a file that is none, another provider's guid, a path too long, the same provider twice.
LONG=$folder/$(printf '%0256d' 0).so
NONE=$folder/none.so
INCOMPLETE=$build/dummy_provider_incomplete.so
export LONG NONE INCOMPLETE
run 1 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Other FROM FILE = '$(NONE)';
GO
CREATE CRYPTOGRAPHIC PROVIDER Other FROM FILE = '$(LONG)';
GO
CREATE CRYPTOGRAPHIC PROVIDER Other FROM FILE = '$(INCOMPLETE)';
GO
CREATE CRYPTOGRAPHIC PROVIDER Other FROM FILE = '$(LIBRARY)';
GO
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm DISABLE;
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm FROM FILE = '$(DUMMY)';
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm ENABLE;
GO
DROP CRYPTOGRAPHIC PROVIDER AkvEkm;
SQL
for number in 33027 33023 33026 33024 33044; do
    msg "$number"
done
has '^One or more methods cannot be found'
has '^Msg 33027, Level 16, State 15, '

# A configuration that is unsafe or wrong: the provider does not start, with the code that says so.
printf 'call_timeout_ms = soon\n' >>"$config"
run 1 <<'SQL'
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
SQL
msg 33029 5003
configure 'call_timeout_ms = 30000'
chmod 666 "$config"
run 1 <<'SQL'
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
SQL
msg 33029 5003
chmod 600 "$config"
database_opens
