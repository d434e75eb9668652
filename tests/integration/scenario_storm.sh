#!/bin/sh
# A server with many databases starts: one Decrypt each, from many threads, on one token and few connections; and again
# while the vault throttles, tokens end and connections break.
. "$(dirname -- "$0")/scenario.sh"

databases=120

all_online() {
    run 0 --sessions 16 <<'SQL'
SELECT COUNT(*) FROM sys.databases WHERE is_encrypted = 1 AND state_desc = 'ONLINE';
SQL
    [ "$(value)" = "$databases" ] || fail "$1: $(value) of $databases databases are online"
}

start_vault
new_key TdeKey0 >/dev/null
set_up_provider
set_up_key
run 0 --make-databases "$databases:TDE_Key" </dev/null

reset_counters
all_online 'a quiet vault'
expect_counter unwrapkey "$databases"
expect_counter token 1
expect_counter tokens_issued 1
connections=$(counter connections)
[ "$connections" -le 34 ] || fail "$connections connections for 16 sessions"

# 429 with and without Retry-After, 503, a cut connection and a token that ends: nothing of it leaves a database behind.
ctl POST /faults '{"path":"unwrapkey","skip":5,"times":8,"action":"status","status":429,"retry_after":"1"}' >/dev/null
ctl POST /faults '{"path":"unwrapkey","skip":10,"times":8,"action":"status","status":503}' >/dev/null
ctl POST /faults '{"path":"unwrapkey","skip":20,"times":4,"action":"cut"}' >/dev/null
ctl POST /faults '{"path":"unwrapkey","skip":30,"times":1,"action":"expired_token"}' >/dev/null
ctl POST /faults '{"path":"unwrapkey","skip":40,"times":4,"action":"cut_body"}' >/dev/null
all_online 'a vault in trouble'
ctl DELETE /faults >/dev/null
