#!/bin/sh
# Two servers on one machine, of either system, open keys at the same time and write one map: nothing is lost.
. "$(dirname -- "$0")/scenario.sh"

each=12

# script FIRST: opens `each` keys from K<FIRST> on
script() {
    number=$1
    while [ "$number" -lt $(($1 + each)) ]; do
        printf "CREATE ASYMMETRIC KEY Key%s FROM PROVIDER AkvEkm\n" "$number"
        printf "WITH PROVIDER_KEY_NAME = 'K%s', CREATION_DISPOSITION = OPEN_EXISTING;\nGO\n" "$number"
        number=$((number + 1))
    done
}

# serve NAME: this server in the background, its exit code in $folder/NAME.status
serve() {
    {
        status=0
        ekmhost "$folder/$1" "$(system_path "$folder/$1.sql")" >"$folder/$1.out" 2>&1 || status=$?
        echo "$status" >"$folder/$1.status"
    } &
}

begin
number=1
while [ "$number" -le $((2 * each)) ]; do
    new_key "K$number" >/dev/null
    number=$((number + 1))
done
for name in one two; do
    server=$folder/$name
    set_up_provider
done
script 1 >"$folder/one.sql"
script $((each + 1)) >"$folder/two.sql"
serve one
first=$!
serve two
wait "$first"
wait $!
for name in one two; do
    [ "$(cat "$folder/$name.status")" = 0 ] || { cat "$folder/$name.out" >&2; fail "server $name"; }
done
[ "$(map_count)" = $((2 * each)) ] || fail "$(map_count) entries in the map instead of $((2 * each))"
map >"$folder/map"
number=1
while [ "$number" -le $((2 * each)) ]; do
    [ "$(grep -c "/keys/K$number/" "$folder/map")" = 1 ] || fail "K$number is not once in the map"
    number=$((number + 1))
done
