#!/bin/sh
# A second vault stands in: with the first one out of reach, failing or throttling, databases open by the same key in the
# second; never because the first refuses, and never by another key. When the first is back, it is asked again.
. "$(dirname -- "$0")/scenario.sh"
hedge=yes

second="second-vault.vault.azure.net"

# restore NAME VERSION [FROM-VERSION [FROM-NAME]]: the key, under this name and version in the second vault
restore() {
    pem=$(pem_of "${4:-TdeKey0}" "${3:-$version}" | awk '{ printf "%s\\n", $0 }')
    ctl POST /keys "{\"vault\":\"$second\",\"name\":\"$1\",\"version\":\"$2\",\"pem\":\"$pem\"}" >/dev/null
}

# first_is MEMBERS: a fault of the first vault, until the next one
first_is() {
    ctl DELETE /faults >/dev/null
    [ -z "$1" ] || ctl POST /faults "{\"host\":\"$vault\",\"times\":0,$1}" >/dev/null
}

lines() {
    grep -c -e "$1" "$log" || :
}

# opens_by_second WHAT: a start of the server, in which the second vault opens the database
opens_by_second() {
    reset_counters
    before=$(lines 'the vault is out of reach')
    began=$(date +%s)
    database_opens
    [ $(($(date +%s) - began)) -le 8 ] || fail "$1: the start took too long"
    [ "$(lines 'the vault is out of reach')" = $((before + 1)) ] || fail "$1: not one line of the change"
    tail -n 40 "$log" | grep -q ' Decrypt .*vault="second-vault' || fail "$1: the log does not name the second vault"
    expect_counter leaked_secrets 0
}

# stays_closed WHAT CODE: a start in which nobody opens the database
stays_closed() {
    run 1 <<'SQL'
SELECT name, state_desc FROM sys.databases WHERE name = 'DemoTde';
USE DemoTde;
SQL
    has '^DemoTde  *RECOVERY_PENDING$'
    logged "Database 'DemoTde': .*Provider error code: $2\."
}

set_up
configure "second_vault = contoso-vault: second-vault"
configure 'call_timeout_ms = 2500'

# While the first one answers, nobody asks the second.
reset_counters
database_opens
[ "$(lines 'second-vault.*Decrypt')" = 0 ] || fail 'the second vault was asked without need'

# One lost response is no outage: the request is sent once more before the vault counts as silent. On a busy machine the
# copy may be late as well, hence three times.
one_is_lost() {
    first_is ''
    ctl POST /faults "{\"host\":\"$vault\",\"path\":\"unwrapkey\",\"action\":\"hang\"}" >/dev/null
    down=$(lines 'the vault is out of reach')
    run 0 <<'SQL'
USE DemoTde;
SQL
    [ "$(lines 'the vault is out of reach')" = "$down" ]
}
one_is_lost || one_is_lost || one_is_lost || fail 'one lost response counts as an outage'
first_is ''

# The second has nothing yet, then another key under the same name and version: never adopted.
first_is '"action":"status","status":503'
stays_closed 'no key in the second vault' 3111
other=$(new_key Other)
restore TdeKey0 "$version" "$other" Other
stays_closed 'a forged key' 3111
! grep second-vault "$keymap" || fail 'a forged key is in the map'
ctl DELETE "/keys" "{\"vault\":\"$second\",\"name\":\"TdeKey0\"}" >/dev/null

# Under another name, as an import may have it: found by its public part, and kept in the map.
first_is ''
restore Imported 0123456789abcdef0123456789abcdef
first_is '"action":"status","status":503'
opens_by_second '503 of the first'
grep "second-vault" "$keymap" | grep -q "/keys/Imported/0123456789abcdef0123456789abcdef\$" || fail 'not in the map'
map_has "$(thumbprint_of TDE_Key)" "TdeKey0/$version"

# From now on the map knows both: a start asks for no list.
first_is '"action":"html","status":502'
opens_by_second 'a page in the place of the first'
lists=$(counter list_keys)
[ "${lists:-0}" = 0 ] || fail "$lists lists of keys"
first_is '"action":"hang"'
opens_by_second 'a silent first'
first_is '"path":"keys/","action":"status","status":429,"retry_after":"60"'
opens_by_second 'a first that throttles'
first_is '"action":"cut"'
opens_by_second 'a first that cuts connections'

# Not even reached: refused.
first_is ''
port=$(sed -n 's/^connect_to *= *::127.0.0.1://p' "$config")
configure "connect_to = $vault:443:127.0.0.1:1, ::127.0.0.1:$port"
opens_by_second 'connection refused'

# New keys are the first one's alone; back it is asked again within seconds, in the same process, with one line.
back=$(lines 'the vault answers again')
configure "connect_to = ::127.0.0.1:$port"
first_is '"action":"status","status":503,"times":30'
cat >"$folder/running.sql" <<'SQL'
USE master;
SELECT ENCRYPTBYASYMKEY(ASYMKEY_ID('TDE_Key'), 'x');
GO
USE DemoTde;
CHECKPOINT;
WAITFOR DELAY '00:00:06';
CHECKPOINT;
CHECKPOINT;
SELECT name FROM people WHERE id = 1;
GO
SQL
first_is '"action":"status","status":503'
ekmhost "$server" --trace "$folder/running.sql" >"$folder/out" 2>"$folder/err" &
host=$!
waited=0
until grep -q '^Msg 15209' "$folder/out"; do
    [ "$waited" -lt 200 ] || fail 'wrapping was not refused'
    waited=$((waited + 1))
    sleep 0.1
done
first_is ''
wait "$host" || :
has '^Ada Lovelace$'
msg 15209 3111
grep -q 'opens keys only: none is wrapped' "$log" || fail 'the refusal does not name the second vault'
[ "$(lines 'the vault answers again')" = $((back + 1)) ] || fail 'not one line of the return'

# A key that is registered while both answer is in the map for both; what the second lacks is told. An HSM may be the second.
both=$(new_key Both)
restore Both "$both" "$both" Both
new_key Alone >/dev/null
sql <<'SQL'
CREATE ASYMMETRIC KEY Both FROM PROVIDER AkvEkm WITH PROVIDER_KEY_NAME = 'Both', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE ASYMMETRIC KEY Alone FROM PROVIDER AkvEkm WITH PROVIDER_KEY_NAME = 'Alone', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
grep second-vault "$keymap" | grep -q "/keys/Both/$both\$" || fail 'the map does not know both'
grep -q 'key="Alone.*' "$log" && grep -q 'this key cannot be opened by the second vault: 4 ' "$log" || fail 'nothing of the lack is told'
second=contoso-hsm.managedhsm.azure.net
configure "second_vault = contoso-vault: $second"
restore Of-hsm 0123456789abcdef0123456789abcdef
first_is '"action":"status","status":503'
reset_counters
database_opens
grep "$second" "$keymap" | grep -q "/keys/Of-hsm/0123456789abcdef0123456789abcdef\$" || fail 'the key of the HSM was not used'
second=second-vault.vault.azure.net
configure "second_vault = contoso-vault: $second"
first_is ''

# A refusal of the first is its word.
for refused in 401 403 404; do
    first_is "\"path\":\"unwrapkey\",\"action\":\"status\",\"status\":$refused"
    reset_counters
    run 1 <<'SQL'
USE DemoTde;
SQL
    grep ' Decrypt .*vault="second-vault' "$log" | tail -n 1 >"$folder/last"
    ctl GET /counters | tr -d ' \t\n' >"$folder/counters"
    ! grep -q "\"$second\":[1-9]" "$folder/counters" || fail "the second vault was asked after $refused"
done
first_is ''
patch_key TdeKey0 "$version" '"enabled":false'
stays_closed 'disabled in the first' 5004
patch_key TdeKey0 "$version" '"enabled":true'
database_opens
expect_counter leaked_secrets 0

# Bad settings: the provider does not start, and the reason names the line.
good=$(cat "$config")
for bad in contoso-vault 'contoso-vault: contoso-vault' 'contoso-vault: contoso-vault.vault.azure.cn' \
    'contoso-vault: vault.example.org' 'contoso-vault: second-vault, contoso-vault: third-vault'; do
    configure "second_vault = $bad"
    line=$(grep -n '^second_vault' "$config" | cut -d : -f 1)
    AKVEKM_CONFIG="$config" "$build/akv-ekm" map list >"$folder/out" 2>&1 && fail "accepted: $bad"
    grep -q "5003: .*akv-ekm\.conf:$line: second_vault: " "$folder/out" || fail "no reason for $bad"
done
printf '%s\n' "$good" >"$config"
