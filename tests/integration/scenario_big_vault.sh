#!/bin/sh
# The map is lost, and the vault holds 300 other keys of 5 versions each, all younger than the one that the database needs,
# of which a newer version exists as well: open at the first start.
. "$(dirname -- "$0")/scenario.sh"

set_up
thumbprint=$(thumbprint_of TDE_Key)
new_key TdeKey0 >/dev/null
ctl POST /keys/filler "{\"vault\":\"$vault\",\"count\":300,\"versions\":5}" >/dev/null
ctl POST /settings '{"latency_ms":20}' >/dev/null

rm "$keymap"
reset_counters
starts=0
until [ -f "$keymap" ]; do
    starts=$((starts + 1))
    [ "$starts" -le 3 ] || fail 'not found by the third start'
    run 0 --sessions 4 <<'SQL'
SELECT COUNT(*) FROM sys.databases WHERE is_encrypted = 1 AND state_desc = 'ONLINE';
SQL
done
[ "$(value)" = 1 ] || fail 'the database is not online'
printf '%s: found at start %s, with %s looks at a key and %s lists of versions\n' "$scenario" "$starts" \
    "$(counter get_key)" "$(counter list_versions)"
map_has "$thumbprint" "TdeKey0/$version"
database_opens
