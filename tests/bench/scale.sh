#!/bin/sh
# scale.sh BUILD FILE.tsv [CASE]...: servers with thousands of databases start together at a vault with its documented limits.
# One row for each case goes to FILE.tsv and to standard output. A case is KEY:SERVERS:DATABASES:SESSIONS, the databases and sessions
# of each server; KEY is 2048, 3072 (keys in software), 2048h or 3072h (in an HSM). Without a case: the cases of
# docs/performance/scale.tsv, which take half an hour. A call that fails ends the script with 1.
#
# The limit is the time of a client that knew the limits of the vault: whole windows of ten seconds, then the rest, with no more
# requests at a time than there are sessions. scale_model.awk computes it, and the expected time of the library.
set -eu
LC_ALL=C
export LC_ALL

build=$(CDPATH='' cd -- "$1" && pwd)
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=$2
shift 2
turn_ms=20
work=$(mktemp -d)
vault=
trap '[ -z "$vault" ] || kill "$vault" 2>/dev/null || :; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

ctl() {
    "$build/vaultsim" ctl --state "$work/vault" "$@"
}

counter() {
    ctl GET /counters | tr ',{}' '\n\n\n' | sed -n "s/^\"$1\":\([0-9]*\).*/\1/p" | head -n 1
}

# start_vault BITS THROTTLE
start_vault() {
    rm -rf "$work/vault"
    "$build/vaultsim" --state "$work/vault" --memoise >"$work/out" 2>&1 &
    vault=$!
    waited=0
    until [ -s "$work/vault/pid" ]; do
        [ "$waited" -lt 100 ] || { cat "$work/out" >&2; exit 1; }
        waited=$((waited + 1))
        sleep 0.1
    done
    ctl POST /keys "{\"vault\":\"contoso-vault.vault.azure.net\",\"name\":\"BenchKey\",\"kty\":\"RSA\",\"key_size\":$1}" >/dev/null
    sed -i 's/^log_level = .*/log_level = error/' "$work/vault/akv-ekm.conf"
    AKVEKM_CONFIG="$work/vault/akv-ekm.conf" "$build/benchclient" sample "$work/vault"
    ctl POST /settings "{\"latency_ms\":$turn_ms,\"throttle\":\"$2\",\"throttle_retry_after\":true}" >/dev/null
    ctl DELETE /counters >/dev/null
}

# The sum, or the maximum, of one value of all servers.
of_all() {
    cat "$work"/server.* | tr ' ' '\n' | sed -n "s/^$1=//p" | awk -v how="$2" '
        { sum += $1; if ($1 + 0 > most) most = $1 + 0 } END { print how == "sum" ? sum : most + 0 }'
}

# run_case KEY:SERVERS:DATABASES:SESSIONS
run_case() {
    key=${1%%:*}
    rest=${1#*:}
    servers=${rest%%:*}
    rest=${rest#*:}
    databases=${rest%%:*}
    sessions=${rest#*:}
    case $key in
    *h) throttle=hsm ;;
    *) throttle=standard ;;
    esac
    start_vault "${key%h}" "$throttle"
    rm -f "$work"/server.*
    server=0
    pids=
    while [ "$server" -lt "$servers" ]; do
        server=$((server + 1))
        # Each has a map of its own, as on a machine of its own.
        sed "s#^keymap_file = .*#keymap_file = $work/vault/keymap.$server#" "$work/vault/akv-ekm.conf" >"$work/vault/$server.conf"
        cp "$work/vault/keymap" "$work/vault/keymap.$server"
        chmod 600 "$work/vault/$server.conf" "$work/vault/keymap.$server"
        AKVEKM_CONFIG="$work/vault/$server.conf" "$build/scaleclient" "$work/vault" "$databases" "$sessions" >"$work/server.$server" &
        pids="$pids $!"
    done
    for pid in $pids; do
        wait "$pid"
    done
    lost=$(($(of_all failed sum) + $(of_all sessions_failed sum)))
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$key" "$servers" "$databases" "$sessions" "$(of_all ms most)" "$lost" \
        "$(of_all longest_ms most)" "$(counter throttled)" "$(of_all kib most)" "$(of_all descriptors most)" "$(of_all cpu_ms most)" |
        awk -v turn_ms="$turn_ms" -f "$here/scale_model.awk" | tee -a "$out"
    kill "$vault"
    wait "$vault" || :
    vault=
    [ "$lost" -eq 0 ]
}

[ $# -gt 0 ] || set -- 2048:1:10000:1 2048:1:10000:8 2048:1:10000:64 2048:1:10000:512 \
    3072:1:10000:1 3072:1:10000:8 3072:1:10000:64 3072:1:10000:512 \
    2048:5:10000:64 2048:5:10000:512 2048h:5:10000:64 3072:5:2000:64
awk -v header=1 -f "$here/scale_model.awk" </dev/null | tee "$out"
status=0
for one; do
    run_case "$one" || status=1
done
exit "$status"
