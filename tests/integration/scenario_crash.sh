#!/bin/sh
# The server is killed while it opens keys, again and again: what the catalog knows, the map knows as well, always.
. "$(dirname -- "$0")/scenario.sh"

keys=25

start_vault
{
    number=1
    while [ "$number" -le "$keys" ]; do
        new_key "K$number" >/dev/null
        printf "CREATE ASYMMETRIC KEY Key%s FROM PROVIDER AkvEkm\n" "$number"
        printf "WITH PROVIDER_KEY_NAME = 'K%s', CREATION_DISPOSITION = OPEN_EXISTING;\nGO\n" "$number"
        number=$((number + 1))
    done
} >"$folder/open.sql"
set_up_provider
# So slow that the kill comes in between, on a fast machine as well.
ctl POST /settings '{"latency_ms":30}' >/dev/null

# whole: every key of the catalog is in the map, every line of the map is whole
whole() {
    sql <<'SQL'
SELECT thumbprint FROM sys.asymmetric_keys;
SQL
    sed -n 's/^0x//p' "$folder/out" >"$folder/thumbprints"
    while read -r thumbprint; do
        [ "$(grep -c "	$thumbprint	" "$keymap")" = 1 ] || fail "after $1: $thumbprint is not once in the map"
    done <"$folder/thumbprints"
    [ ! -f "$keymap" ] ||
        ! grep -vq "^[^	]*$vault	[0-9A-F]\{40\}	https://$vault/keys/K[0-9]*/[0-9a-f]\{32\}\$" "$keymap" ||
        fail "after $1: a broken line in the map"
}

known=0
round=1
while [ "$known" -lt "$keys" ] && [ "$round" -le 30 ]; do
    # On a busy machine the kill may come late: no round gets further than 7 keys.
    ctl DELETE /faults >/dev/null
    ctl POST /faults '{"path":"/keys/K","skip":7,"times":0,"action":"hang"}' >/dev/null
    "$build/ekmhost" --data "$server" "$folder/open.sql" >"$folder/out" 2>"$folder/err" &
    host=$!
    # Killed after it has opened a few more, wherever it is just then.
    waited=0
    while [ "$waited" -lt 200 ] && kill -0 "$host" 2>/dev/null &&
        [ "$(wc -l 2>/dev/null <"$keymap" || echo 0)" -lt $((known + 1 + round % 4)) ]; do
        waited=$((waited + 1))
        sleep 0.01
    done
    kill -9 "$host" 2>/dev/null || :
    wait "$host" 2>/dev/null || :
    whole "kill $round"
    known=$(wc -l <"$folder/thumbprints")
    round=$((round + 1))
done
[ "$round" -gt 3 ] || fail 'it was never killed half way'
ctl DELETE /faults >/dev/null
run 1 <"$folder/open.sql"
whole 'the last run'
[ "$(wc -l <"$folder/thumbprints")" = "$keys" ] || fail 'not all keys were opened in the end'
[ "$(wc -l <"$keymap")" = "$keys" ] || fail 'the map has other lines'
