#!/bin/sh
# R63 without a restart: a new connection uses the renewed secret, an open one lives on until its token ends.
. "$(dirname -- "$0")/scenario.sh"

NEW="11111111222243338444555555555555New~Secret-2"
export NEW

# secrets JSON-LIST: what Entra takes from now on
secrets() {
    ctl POST /clients "{\"client_id\":\"11111111-2222-4333-8444-555555555555\",\"secrets\":[$1],
        \"permissions\":[\"get\",\"list\",\"wrapKey\",\"unwrapKey\"]}" >/dev/null
}

# reached COUNT: waits until so many wrapkey requests have come in, or more
reached() {
    waited=0
    until count=$(counter wrapkey) && [ "${count:-0}" -ge "$1" ]; do
        [ "$waited" -lt 100 ] || fail "the script does not reach its step $1"
        waited=$((waited + 1))
        sleep 0.1
    done
}

set_up

# Two secrets for a while, as Entra allows.
secrets "\"$client_secret\",\"New~Secret-2\""
cat >"$folder/open.sql" <<'SQL'
SELECT DATALENGTH(ENCRYPTBYASYMKEY(ASYMKEY_ID('TDE_Key'), 'x')) AS before;
ALTER CREDENTIAL tde_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(NEW)';
ALTER CREDENTIAL login_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(NEW)';
GO
WAITFOR DELAY '00:00:02';
GO
SELECT DATALENGTH(ENCRYPTBYASYMKEY(ASYMKEY_ID('TDE_Key'), 'x')) AS token_lives;
GO
SELECT DATALENGTH(ENCRYPTBYASYMKEY(ASYMKEY_ID('TDE_Key'), 'x')) AS token_ended;
GO
SQL
cat >"$folder/new.sql" <<'SQL'
SELECT DATALENGTH(ENCRYPTBYASYMKEY(ASYMKEY_ID('TDE_Key'), 'x')) AS new_connection;
USE DemoTde;
ALTER DATABASE ENCRYPTION KEY REGENERATE WITH ALGORITHM = AES_256;
SELECT name FROM people WHERE id = 1;
SQL
reset_counters
# The third request is held until the token has ended.
ctl POST /faults '{"path":"/wrapkey","skip":2,"times":0,"action":"hang"}' >/dev/null
ekmhost "$server" --trace "$folder/open.sql" "$folder/new.sql" >"$folder/out" 2>"$folder/err" &
host=$!
reached 1
# The old secret lapses; its token is still good, until that ends as well.
secrets '"New~Secret-2"'
reached 3
ctl POST /tokens/expire >/dev/null
ctl DELETE /faults >/dev/null
ended=0
wait "$host" || ended=$?
[ "$ended" = 1 ] || fail "ekmhost ended with $ended instead of 1"
tail -n 1 "$folder/err" | grep -q ' 1 errors$' || fail 'one error was to be expected'
for column in before token_lives new_connection; do
    has "^ *$column *\$"
done
msg 15209 3303
has '^Ada Lovelace$'
expect_counter leaked_secrets 0

# A restart works with the new secret alone, and whoever still has the old one is refused as Entra refuses it.
database_opens
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
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SQL
has '^Ada Lovelace$'
