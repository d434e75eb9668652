#!/bin/sh
# The back end of the open connections fails and answers 503 to everything; that of new connections is healthy. Then the
# other way about for the login host alone. It costs one try, and no call.
. "$(dirname -- "$0")/scenario.sh"
hedge=yes
. "$(dirname -- "$0")/network.sh"

# A second vault of the same keys, clients and authority: the well one.
start_twin() {
    cp -R "$folder/vault" "$folder/twin"
    rm -f "$folder/twin/pid" "$folder/twin/lock" "$folder/twin/akv-ekm.log"
    : >"$folder/twin.out"
    "$build/vaultsim" --state "$folder/twin" --port 0 --control-port 0 >"$folder/twin.out" 2>&1 &
    twin_pid=$!
    network_pids="$network_pids $twin_pid"
    wait_for "$folder/twin.out" '^vaultsim: ready' "$twin_pid"
}

turn_sick() {
    ctl POST /faults "{\"path\":\"$1\",\"times\":0,\"action\":\"status\",\"status\":503}" >/dev/null
    kill -USR2 "$relay_pid"
}

begin
new_key TdeKey0 >/dev/null
start_twin
twin_port=$(sed -n 's/^connect_to *= *::127\.0\.0\.1:\([0-9]*\).*/\1/p' "$folder/twin/akv-ekm.conf")
[ "$twin_port" != "$(vault_port)" ] || fail 'the twin has no port of its own'
start_relay "$twin_port"
set_up_provider
set_up_key
around turn_sick /
took=$(longest_ms)
[ "$took" -le 20000 ] || fail "a sick connection cost ${took} ms"
echo "$scenario: reopened after ${took} ms"
grep -q 'tries="2"' "$folder/vault/akv-ekm.log" || grep -q 'again in' "$folder/vault/akv-ekm.log" || fail 'nothing was sick'
