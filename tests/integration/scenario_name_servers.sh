#!/bin/sh
# Name servers that are silent or fail for a moment, in a network of this test's own: databases open all the same.
if [ -z "${IN_NETWORK-}" ]; then
    if ! unshare -n -m true 2>/dev/null; then
        echo 'scenario_name_servers: SKIPPED: no network namespace may be made here'
        exit 77
    fi
    IN_NETWORK=1 exec unshare -n -m sh "$0" "$@"
fi
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/network.sh"

[ -z "${2-}" ] || skip "Wine's server has the sockets, in the network outside"
command -v ip >/dev/null 2>&1 || skip 'ip is not installed'
ip link set lo up
ip addr add 10.66.0.2/32 dev lo # without another address the resolver asks for no IPv4 ones

# resolve_by SERVER...: nothing else
resolve_by() {
    printf 'nameserver %s\n' "$@" >"$folder/resolv.new"
    cat "$folder/resolv.new" >"$folder/resolv.conf"
}
printf '127.0.0.1 localhost\n' >"$folder/hosts"
: >"$folder/resolv.conf"
mount --bind "$folder/hosts" /etc/hosts && mount --bind "$folder/resolv.conf" /etc/resolv.conf ||
    skip 'nothing may be mounted here'

badnet good names 127.0.0.2 answer
badnet silent names 127.0.0.3 silent

begin
port=$(vault_port)
new_key TdeKey0 >/dev/null
set_up_provider
set_up_key
set_up_database
# By name from now on; the port is all that connect_to changes.
configure "connect_to = contoso-vault.vault.azure.net:443:contoso-vault.vault.azure.net:$port, login.microsoftonline.com:443:login.microsoftonline.com:$port"

# opens_after LEAST-MS WHAT: the database opens, and one of its calls waited so long
opens_after() {
    lines=$(wc -l <"$folder/vault/akv-ekm.log")
    database_opens
    longest=$(tail -n +$((lines + 1)) "$folder/vault/akv-ekm.log" | sed -n 's/.* ms="\([0-9]*\)".*/\1/p' | sort -n | tail -n 1)
    [ "${longest:-0}" -ge "$1" ] || fail "$2: ${longest:-0} ms: nothing was in the way"
    echo "$scenario: $2: the longest call took $longest ms"
}

# The first name server is silent; the resolver asks the second after 5 s.
resolve_by 127.0.0.3 127.0.0.2
opens_after 4500 'a silent first name server'

# Two silent ones: the resolver asks the third after 8 s.
badnet silent2 names 127.0.0.4 silent
resolve_by 127.0.0.3 127.0.0.4 127.0.0.2
opens_after 7500 'two silent name servers'

# moment MANNER NUMBER SECONDS: the only name server fails for so long
moment() {
    badnet "moment$2" names "127.0.0.$2" "$1"
    resolve_by "127.0.0.$2"
    pid=$badnet_pid
    (sleep "$3" && kill -USR1 "$pid") &
    opens_after $(($3 * 1000 - 1500)) "$1 for $3 s"
}
moment unknown 5 3
moment broken 6 3
moment silent 7 8
