#!/bin/sh
# Two servers on one machine open keys at the same time and write one branch: nothing is lost.
. "$(dirname -- "$0")/windows.sh"

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

# begin NAME: this server in the background, its exit code in $folder/NAME.status
begin() {
    {
        status=0
        wine "$windows/ekmhost.exe" --data "$(windows_path "$folder/$1")" "$(windows_path "$folder/$1.sql")" \
            >"$folder/$1.out" 2>&1 || status=$?
        echo "$status" >"$folder/$1.status"
    } &
}

begin_windows
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
begin one
first=$!
begin two
wait "$first"
wait $!
for name in one two; do
    [ "$(cat "$folder/$name.status")" = 0 ] || { cat "$folder/$name.out" >&2; fail "server $name"; }
done
[ "$(map_count)" = $((2 * each)) ] || fail "$(map_count) entries in the branch instead of $((2 * each))"
map >"$folder/map"
number=1
while [ "$number" -le $((2 * each)) ]; do
    [ "$(grep -c "/keys/K$number/" "$folder/map")" = 1 ] || fail "K$number is not once in the branch"
    number=$((number + 1))
done
