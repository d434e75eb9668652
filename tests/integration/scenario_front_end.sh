#!/bin/sh
# A front end that speaks HTTP/2 and HTTP/1.1, as a vault's own does, and prefers HTTP/2: the library speaks HTTP/1.1 to it.
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/network.sh"

command -v nghttpx >/dev/null 2>&1 || skip 'nghttpx is not installed'

free_port() {
    "$build/badnet" relay 1 >"$folder/free.out" 2>&1 &
    network_pids="$network_pids $!"
    wait_for "$folder/free.out" '^badnet: ready' $!
    kill $!
    sed -n 's/^badnet: ready //p' "$folder/free.out"
}

begin
vault_listens=$(vault_port)
front_port=$(free_port)
nghttpx --no-location-rewrite --no-via --no-add-x-forwarded-proto --insecure \
    --conf=/dev/null --workers=1 \
    --frontend="127.0.0.1,$front_port" --backend="127.0.0.1,$vault_listens;;tls;sni=contoso-vault.vault.azure.net" \
    --accesslog-file="$folder/access" --accesslog-format='$alpn $request $tls_session_reused' --errorlog-file="$folder/front.err" \
    "$folder/vault/server.key" "$folder/vault/server.pem" >"$folder/front.out" 2>&1 &
front_pid=$!
network_pids="$network_pids $front_pid"
waited=0
until openssl s_client -connect "127.0.0.1:$front_port" -alpn h2,http/1.1 </dev/null >"$folder/probe" 2>&1; do
    kill -0 "$front_pid" 2>/dev/null || { cat "$folder/front.out" "$folder/front.err" >&2; fail 'nghttpx ended'; }
    [ "$waited" -lt 100 ] || fail 'nghttpx does not listen'
    waited=$((waited + 1))
    sleep 0.1
done
grep -q 'ALPN protocol: h2' "$folder/probe" || fail 'the front end does not offer HTTP/2'

configure "connect_to = ::127.0.0.1:$front_port"
new_key TdeKey0 >/dev/null
set_up_provider
set_up_key
set_up_database
database_opens
grep -q '^http/1.1 POST .*/unwrapkey' "$folder/access" || { cat "$folder/access" >&2; fail 'no unwrap by HTTP/1.1'; }
# A start over many sessions: connections after the first resume its session, those at least that waited for it.
run 0 --make-databases 64:TDE_Key </dev/null
starts=0
until grep -q '^http/1.1 .* r$' "$folder/access"; do
    [ "$starts" -lt 5 ] || { cat "$folder/access" >&2; fail 'no session was resumed'; }
    starts=$((starts + 1))
    run 0 --sessions 64 </dev/null
done
if grep '^h2 ' "$folder/access" >&2; then
    fail 'HTTP/2 was spoken'
fi
