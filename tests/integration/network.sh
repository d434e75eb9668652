# Helpers of the scenarios whose network fails, sourced after scenario.sh: a relay between the server and its vault, and calls
# of one server before and after something happened to it.
# shellcheck shell=sh
network_pids=

network_finish() {
    status=$?
    trap - EXIT
    set +e
    for pid in $network_pids; do
        kill "$pid" 2>/dev/null || :
        wait "$pid" 2>/dev/null || :
    done
    (exit "$status")
    finish
}
trap network_finish EXIT

# skip WHY: what this machine cannot play is said and counts as skipped
skip() {
    echo "$scenario: SKIPPED: $*"
    trap - EXIT
    rm -rf "$folder"
    exit 77
}

# badnet NAME ARGUMENT...: starts one; its process in $badnet_pid, its port in $badnet_port
badnet() {
    name=$1
    shift
    : >"$folder/$name.out"
    "$build/badnet" "$@" >"$folder/$name.out" 2>&1 &
    badnet_pid=$!
    network_pids="$network_pids $badnet_pid"
    wait_for "$folder/$name.out" '^badnet: ready' "$badnet_pid"
    badnet_port=$(sed -n 's/^badnet: ready //p' "$folder/$name.out")
}

vault_port() {
    sed -n 's/^connect_to *= *::127\.0\.0\.1:\([0-9]*\).*/\1/p' "$folder/vault/akv-ekm.conf"
}

# start_relay [LATER-PORT]: the server reaches its vault through it
start_relay() {
    badnet relay relay "$(vault_port)" "$@"
    relay_pid=$badnet_pid
    configure "connect_to = ::127.0.0.1:$badnet_port"
}

# around COMMAND...: one server wraps, COMMAND is run, the server wraps and unwraps again
around() {
    cat >"$folder/around.sql" <<'SQL'
SELECT DATALENGTH(ENCRYPTBYASYMKEY(ASYMKEY_ID('TDE_Key'), 'before'));
WAITFOR DELAY '00:00:05';
DECLARE @after varbinary(512) = ENCRYPTBYASYMKEY(ASYMKEY_ID('TDE_Key'), 'after');
SELECT DATALENGTH(@after);
SQL
    reset_counters
    ekmhost "$server" --trace "$(system_path "$folder/around.sql")" >"$folder/out" 2>"$folder/err" &
    around_pid=$!
    wait_counter wrapkey 1
    "$@"
    wait "$around_pid" || fail 'the server lost a call'
    [ "$(grep -c '^256$' "$folder/out")" = 2 ] || fail 'not both wraps succeeded'
}

# longest_ms: of the last runs' calls that wrap
longest_ms() {
    sed -n 's/.* Encrypt .* ms="\([0-9]*\)".*/\1/p' "$folder/vault/akv-ekm.log" | sort -n | tail -n 1
}
