#!/bin/sh
# 64 databases recovered by 64 threads at once: each opens with one unwrapKey, one token is enough for all.
. "$(dirname -- "$0")/../integration/scenario.sh"

begin
new_key TdeKey0 >/dev/null
set_up_provider
set_up_key
wanted=0
host "$server" --make-databases 64:TDE_Key
calls SqlCryptEncrypt 64
reset_counters
run 0 --sessions 64 <<'SQL'
SELECT COUNT(*) FROM sys.databases WHERE is_encrypted = 1 AND state_desc = 'ONLINE';
USE storm64;
SELECT name FROM t;
SQL
has '^ *64$'
has '^row of storm64$'
calls SqlCryptDecrypt 64
expect_counter unwrapkey 64
expect_counter tokens_issued 1
