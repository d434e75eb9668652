#!/bin/sh
# run.sh BUILD [CLIENT...]: runs public clients, unmodified, against vaultsim and prints what worked. Not part of CI.
#
# Packages are pinned in each CLIENT.sh and installed by their ordinary installers into BUILD/peers. The clients then run in
# network and mount namespaces of their own (root is needed), where the names of Azure lead to vaultsim on port 443 and nothing
# else is reachable. VERBOSE=1 shows what the clients wrote to standard error. Exit 1: some case failed.
set -eu
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
peers=$build/peers
mkdir -p "$peers"
if [ $# -eq 0 ]; then
    set -- python go javascript java rust golibs mongo
fi
ready=
for client; do
    if [ -e "$peers/$client.ready" ] && [ ! "$here/$client.sh" -nt "$peers/$client.ready" ]; then
        ready="$ready $client"
    elif PEERS=$peers HERE=$here sh "$here/$client.sh" install >"$peers/$client.log" 2>&1; then
        touch "$peers/$client.ready"
        ready="$ready $client"
    else
        echo "$client: cannot be installed, see $peers/$client.log" >&2
    fi
done
exec unshare -mn sh "$here/inside.sh" "$build" "$peers" $ready
