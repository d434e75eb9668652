#!/bin/sh
# The vault is away: a running database goes on with the key in memory, a start leaves it pending, and it opens once the
# vault is back, without another start.
. "$(dirname -- "$0")/scenario.sh"

set_up
configure 'call_timeout_ms = 4000'

# Gone while the database is open. A new log segment asks for the key again: held until the vault goes, as is what comes next.
cat >"$folder/running.sql" <<'SQL'
USE DemoTde;
CHECKPOINT;
INSERT INTO people VALUES (3, 'Katherine Johnson');
SELECT name FROM people WHERE id = 3;
GO
SELECT name, state_desc FROM sys.databases WHERE name = 'DemoTde';
GO
USE master;
SELECT ENCRYPTBYASYMKEY(ASYMKEY_ID('TDE_Key'), 'x');
SQL
reset_counters
ctl POST /faults '{"path":"/unwrapkey","skip":1,"times":0,"action":"hang"}' >/dev/null
ctl POST /faults '{"path":"/wrapkey","times":0,"action":"hang"}' >/dev/null
ekmhost "$server" --trace "$folder/running.sql" >"$folder/out" 2>"$folder/err" &
host=$!
wait_counter unwrapkey 2
stop_vault
ended=0
wait "$host" || ended=$?
[ "$ended" = 1 ] || fail "ekmhost ended with $ended instead of 1"
has '^Katherine Johnson$'
has '^DemoTde  *ONLINE$'
logged 'goes on with the key in memory'
msg 15209 3102

# A start without the vault does not wait longer than a call may take, and says why.
began=$(date +%s)
run 1 <<'SQL'
SELECT name, state_desc FROM sys.databases WHERE name = 'DemoTde';
USE DemoTde;
SQL
has '^DemoTde  *RECOVERY_PENDING$'
msg 926
logged "Database 'DemoTde': .*Provider error code: 3102\."
[ $(($(date +%s) - began)) -le 20 ] || fail 'the start took too long'

# Back again: SET ONLINE in the same run. The vault comes up while the server is running.
cat >"$folder/waiting.sql" <<'SQL'
SELECT state_desc FROM sys.databases WHERE name = 'DemoTde';
WAITFOR DELAY '00:00:06';
ALTER DATABASE DemoTde SET ONLINE;
GO
USE DemoTde;
SELECT name FROM people WHERE id = 3;
SQL
starts=$(grep -c 'Recovery is complete' "$server/errorlog")
ekmhost "$server" --trace "$folder/waiting.sql" >"$folder/out" 2>"$folder/err" &
host=$!
waited=0
until [ "$(grep -c 'Recovery is complete' "$server/errorlog")" -gt "$starts" ]; do
    [ "$waited" -lt 100 ] || fail 'the server does not come up'
    waited=$((waited + 1))
    sleep 0.1
done
start_vault
wait "$host" || fail 'the database did not open after the outage'
has '^RECOVERY_PENDING$'
has '^Katherine Johnson$'
database_opens

# Which codes SQL Server takes for an outage of the network is unknown. If ours count, all goes on; if none does, what asks
# for the key fails, and reading goes on.
configure 'call_timeout_ms = 1000'
for codes in network none; do
    ctl POST /faults '{"path":"/unwrapkey","skip":1,"times":0,"action":"status","status":503}' >/dev/null
    failing=0
    [ "$codes" = network ] || failing=1
    run "$failing" --outage-codes "$codes" <<'SQL'
USE DemoTde;
CHECKPOINT;
GO
BACKUP LOG DemoTde TO DISK = '$(BACKUPS)/outage.bak';
GO
DBCC CHECKDB (DemoTde);
GO
SELECT name FROM people WHERE id = 3;
SQL
    has '^Katherine Johnson$'
    [ "$(grep -c '^Msg 15466, ' "$folder/out" || :)" = $((3 * failing)) ] || fail "three failures with $codes"
    ctl DELETE /faults >/dev/null
done
database_opens
