#!/bin/sh
# R63 without a restart: a new connection uses the renewed secret, an open one lives on while its token does.
. "$(dirname -- "$0")/scenario.sh"

permissions='"permissions":["get","list","wrapKey","unwrapKey"]'
id=11111111-2222-4333-8444-555555555555

start_vault
new_key TdeKey0 >/dev/null
set_up_provider
set_up_key
set_up_database

# Two secrets for a while, as Entra allows; then the old one lapses.
ctl POST /clients "{\"client_id\":\"$id\",\"secrets\":[\"$client_secret\",\"New~Secret-2\"],$permissions}" >/dev/null
export NEW="11111111222243338444555555555555New~Secret-2"
cat >"$folder/first.sql" <<'SQL'
SELECT COUNT(*) AS before FROM sys.dm_cryptographic_provider_keys(65536);
ALTER CREDENTIAL tde_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(NEW)';
SELECT COUNT(*) AS same_session FROM sys.dm_cryptographic_provider_keys(65536);
SQL
cat >"$folder/second.sql" <<'SQL'
SELECT COUNT(*) AS new_connection FROM sys.dm_cryptographic_provider_keys(65536);
USE DemoTde;
ALTER DATABASE ENCRYPTION KEY REGENERATE WITH ALGORITHM = AES_256;
SELECT name FROM people WHERE id = 1;
SQL
reset_counters
timeout 60 "$build/ekmhost" --data "$server" --trace "$folder/first.sql" "$folder/second.sql" \
    >"$folder/out" 2>"$folder/err" || fail 'the renewal failed'
for column in before same_session new_connection; do
    has "^ *$column *\$"
done
has '^Ada Lovelace$'
# One token for the old secret (start of the server and first connection), one for the new.
expect_counter token 2
expect_counter leaked_secrets 0

# The old secret lapses: a restart works with the new one alone.
ctl POST /clients "{\"client_id\":\"$id\",\"secrets\":[\"New~Secret-2\"],$permissions}" >/dev/null
ctl POST /tokens/expire >/dev/null
database_opens
# Whoever still has the old one is refused as Entra refuses it.
run 1 <<'SQL'
ALTER CREDENTIAL tde_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)';
GO
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
SQL
msg 33028 3303
sql <<'SQL'
ALTER CREDENTIAL tde_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(NEW)';
SQL
sql <<'SQL'
ALTER DATABASE DemoTde SET ONLINE;
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SQL
has '^Ada Lovelace$'
