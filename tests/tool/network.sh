#!/bin/sh
# network.sh BUILD: the table of faults goes on: name servers, several addresses, chains of certificates, pages and refusals in the
# vault's place, what people paste. In a network of its own, where it may say what a name leads to.
if [ -z "${IN_NETWORK-}" ]; then
    if ! unshare -n -m true 2>/dev/null || ! command -v ip >/dev/null 2>&1; then
        echo 'network.sh: SKIPPED: no network namespace may be made here'
        exit 77
    fi
    IN_NETWORK=1 exec unshare -n -m sh "$0" "$@"
fi
. "$(dirname -- "$0")/tool.sh"
. "$(dirname -- "$0")/faults.sh"
ip link set lo up
ip addr add 10.66.0.2/32 dev lo # without another address the resolver asks for no IPv4 ones
printf '127.0.0.1 localhost\n' >"$folder/hosts"
: >"$folder/resolv.conf"
mount --bind "$folder/hosts" /etc/hosts && mount --bind "$folder/resolv.conf" /etc/resolv.conf ||
    { echo 'nothing may be mounted here: skipped'; exit 77; }
servers=
names() { # ADDRESS MANNER
    : >"$folder/names-$1"
    "$build/badnet" names "$1" "$2" >"$folder/names-$1" &
    servers="$servers $!"
    other_pid=$servers
    wait_for "$folder/names-$1" '^badnet: ready'
}
resolve_by() {
    { printf 'nameserver %s\n' "$@" && echo 'options timeout:1'; } >"$folder/resolv.new"
    cat "$folder/resolv.new" >"$folder/resolv.conf"
}
start_vault
port=$(sed -n 's/.*:\([0-9]*\)$/\1/p' <<CONNECT
$(grep '^connect_to' "$folder/good.conf")
CONNECT
)
by_name="connect_to=$host:443:$host:$port, ::127.0.0.1:$port"

# --- names ---
names 127.0.0.2 answer
names 127.0.0.3 silent
names 127.0.0.5 unknown
names 127.0.0.6 broken
resolve_by 127.0.0.2
configure "$by_name"
fault 'one good name server' 0 ok name-server '127.0.0.2: 1 records for IPv4, 0 for IPv6'
says "^ok +[0-9]+ ms  dns +$host: IPv4 127.0.0.1"
resolve_by 127.0.0.3 127.0.0.2
fault 'silent name server' 0 warning name-server '127.0.0.3: no answer'
says '^ok +[0-9]+ ms  name-server +127.0.0.2: 1 records'
says "^ok +[0-9]+ ms  dns +$host: IPv4 127.0.0.1"
resolve_by 127.0.0.5
fault 'name is unknown' 1 warning name-server '127.0.0.5: NXDOMAIN: no such name'
says "^FAILED +[0-9]+ ms  dns +3900: the name does not resolve: $host"
resolve_by 127.0.0.6
fault 'name server is broken' 1 warning name-server '127.0.0.6: SERVFAIL'
says '^FAILED .* dns +3900: '
resolve_by 127.0.0.9
fault 'nobody serves names' 1 warning name-server '127.0.0.9: refuses the port'
resolve_by 127.0.0.2
printf '127.0.0.1 localhost\n127.0.0.1 %s\n127.0.0.8 %s\n' "$host" "$host" >"$folder/hosts"
fault 'one of two addresses' 0 warning tcp "127.0.0.8 port $port: connection refused"
printf '127.0.0.1 localhost\n10.99.0.1 %s\n' "$host" >"$folder/hosts"
fault 'no route' 1 FAILED tcp "3102: 10.99.0.1 port $port: (no route|this network is not reachable)"
printf '127.0.0.1 localhost\n' >"$folder/hosts"
configure

# --- the path and the room at the vault ---
fault 'public endpoint' 0 ok network 'by the public endpoint: conn_type=Ipv4;addr=127.0.0.1'
says '^ok .* throttling +0 of 5 requests had to be repeated; with such keys .RSA 2048. a vault takes 4000 calls in 10 s'
ctl POST /settings '{"network_info":"conn_type=PrivateLink;private_endpoint=pe1;addr=10.0.0.4;"}'
fault 'private endpoint' 0 ok network 'by a private endpoint: conn_type=PrivateLink;private_endpoint=pe1'
ctl POST /settings '{"network_info":null}'

# --- the proxy ---
control_port=$(sed -n 's/.*control 127.0.0.1:\([0-9]*\).*/\1/p' "$folder/ready")
https_proxy=http://127.0.0.1:$control_port
export https_proxy
fault 'proxy of environment' 1 FAILED proxy '5013: no way to 127.0.0.1 through the proxy'
says "^ok .* route .*through the proxy http://127.0.0.1:$control_port"
says "^ok .* environment .*https_proxy=http://127.0.0.1:$control_port"
unset https_proxy
no_proxy='*azure*'
export no_proxy
fault 'odd no_proxy' 0 warning route 'entries of no_proxy that no host can match: .azure.'
unset no_proxy

# --- chains ---
# authority NAME SIGNER DAYS: with a key for all, as no more is needed
openssl genrsa -out "$folder/key" 2048 2>/dev/null
authority() {
    openssl req -new -key "$folder/key" -subj "/O=Microsoft Corporation/CN=$1" -out "$folder/csr"
    printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n' >"$folder/ext"
    sign "$1" "$2" "$3"
}
# sign NAME SIGNER DAYS: OpenSSL 3.5 takes no negative number of days, 3.0 no dates
sign() {
    set -- "$1" "$3" -req -in "$folder/csr" -CA "$folder/$2.pem" -CAkey "$folder/key" -CAcreateserial -extfile "$folder/ext"
    name=$1 days=$2
    shift 2
    openssl x509 "$@" -days "$days" -out "$folder/$name.pem" 2>/dev/null ||
        openssl x509 "$@" -not_before 20240101000000Z -not_after 20240102000000Z -out "$folder/$name.pem" 2>/dev/null
}
openssl req -x509 -new -key "$folder/key" -subj '/O=Microsoft Corporation/CN=root' -days 900 -out "$folder/root.pem"
authority fine root 400
authority ending root 9
authority ended root -1
for issuer in fine ending ended; do
    openssl req -new -key "$folder/key" -subj "/CN=$host" -out "$folder/csr"
    printf 'subjectAltName=DNS:%s\n' "$host" >"$folder/ext"
    sign "$issuer-leaf" "$issuer" 90
done
openssl req -new -key "$folder/key" -subj /CN=other.example.com -out "$folder/csr"
printf 'subjectAltName=DNS:other.example.com\n' >"$folder/ext"
sign other-leaf fine 90
cp "$folder/fine.pem" "$folder/other.pem"
cp "$folder/fine.pem" "$folder/old.pem"
cp "$folder/fine-leaf.pem" "$folder/old-leaf.pem"
# chained NAME [OPTION]...: a server with this certificate and its authority
chained() {
    : >"$folder/server-$1"
    # shellcheck disable=SC2086 # words or none
    openssl s_server -accept 127.0.0.1:0 -cert "$folder/$1-leaf.pem" -key "$folder/key" -cert_chain "$folder/$1.pem" -www \
        ${2-} ${3-} ${4-} >"$folder/server-$1" 2>&1 &
    servers="$servers $!"
    other_pid=$servers
    wait_for "$folder/server-$1" '^ACCEPT'
    configure "ca_file=$folder/root.pem" "connect_to=::127.0.0.1:$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$folder/server-$1")"
}
chained fine
fault 'whole chain' 1 ok chain '2 of 3: .*CN=fine, issued by .*CN=root, until 20[0-9-]*, (399|400) days left'
says '^ok .* chain +3 of 3: .*CN=root, issued by .*CN=root, .* (899|900) days left'
chained ending
fault 'authority ends soon' 1 warning chain '2 of 3: .*CN=ending, issued by .*CN=root, until 20[0-9-]*, [89] days left'
says '^ok .* tls '
chained ended
fault 'authority ended' 1 FAILED tls '3106: .*certificate has expired; an authority in its chain: of .*CN=ended, issued by .*CN=root'
chained other
fault "another host's name" 1 FAILED tls '3106: .*[Hh]ostname mismatch'
chained old -tls1_1 -cipher DEFAULT@SECLEVEL=0
fault 'old TLS' 1 FAILED tls '3106: the handshake failed: .*(protocol|alert)'
configure "connect_to=login.microsoftonline.com:443:127.0.0.1:1, ::127.0.0.1:$port" call_timeout_ms=1000 try_timeout_ms=500
fault 'Entra out of reach' 1 FAILED sign-in '3102: .*login.microsoftonline.com'

# --- other hosts in the vault's place ---
answers() { # a vault that goes on to answer so, with calls that do not wait long
    configure call_timeout_ms=1000 try_timeout_ms=500
    faults "\"path\":\"$1\",\"action\":\"status\",$2"
}
answers /keys/TdeKey0 '"status":400,"body":"<html>Bad Request</html>"'
fault 'page with 400' 1 FAILED get '5014: '
answers /keys/TdeKey0 '"status":302,"location":"https://www.example.com/"'
fault 'redirect' 1 FAILED get '5014: .*http 302'
answers /keys/TdeKey0 '"status":503'
fault 'sick back end' 1 FAILED get '3111: .*http 503'
answers /keys/TdeKey0 '"status":409,"inner":"ObjectIsBeingRecovered"'
fault 'key is being recovered' 1 FAILED get '3110: .*http 409 Conflict ObjectIsBeingRecovered'
answers /keys/TdeKey0 '"status":401,"message":"AKV10046: Unable to resolve the key.","www_authenticate":"Bearer authorization=\"https://login.microsoftonline.com/72f988bf-0000-4000-8000-2d7cd011db47\", resource=\"https://vault.azure.net\""'
fault 'good token refused' 1 FAILED get '3305: .*http 401 .*AKV10046'
answers /keys/TdeKey0 '"status":403'
fault 'refused without a reason' 1 FAILED get '3113: .*http 403'
answers wrapkey '"status":403,"inner":"KeyOperationForbidden"'
fault 'operation is not allowed' 1 FAILED wrap '5012: '
answers unwrapkey '"status":400'
fault 'unwrap refused' 1 FAILED unwrap '5010: '
answers unwrapkey '"status":200,"body":"{}"'
fault 'empty answer' 1 FAILED unwrap '3708: the unwrap response lacks its value'
faults '"path":"/keys/TdeKey0","action":"cut"'
fault 'connection cut' 1 FAILED get '3119: '
faults '"path":"oauth2","host":"login","action":"status","status":400,"body":"{\"error\":\"temporarily_unavailable\",\"error_description\":\"AADSTS90033: A transient error.\",\"error_codes\":[90033]}"'
fault 'Entra is busy' 1 FAILED sign-in '3304: .*AADSTS90033'
faults
configure
ctl POST /settings '{"challenge":"Bearer authorization=\"https://login.microsoftonline.us/72f988bf-0000-4000-8000-2d7cd011db47\", resource=\"https://vault.azure.net\""}'
fault 'login of another cloud' 1 FAILED challenge '5006: .*login.microsoftonline.us'
ctl POST /settings '{"challenge":null}'

# --- what people paste, and settings ---
given_secret=$(printf '%s%s\302\240' "$client" "$secret")
fault 'unseen blank in SECRET' 1 FAILED sign-in '3303: .*(U.00A0|no-break|invisible|unseen)'
unset given_secret
identity=contoso-vault.privatelink.vaultcore.azure.net
fault 'privatelink name' 1 FAILED credential '5002: '
identity=contoso-vault.vault.local.azurestack.external
fault 'Azure Stack Hub' 1 FAILED credential '5002: '
identity=$(printf 'conto\342\200\213so-vault')
fault 'unseen sign in IDENTITY' 1 FAILED credential '5002: .*U.200B'
identity=contoso-vault
configure "ca_file=$folder/none.pem"
fault 'no such ca_file' 1 FAILED configuration '5003: .*none.pem'
configure
mkdir -m 777 "$folder/open"
cp "$AKVEKM_CONFIG" "$folder/open/conf"
kept=$AKVEKM_CONFIG
AKVEKM_CONFIG=$folder/open/conf
fault 'folder that all may write' 1 FAILED configuration "5003: .*$folder/open"
AKVEKM_CONFIG=$kept
printf 'openssl_conf = init\n[init]\nproviders = list\n[list]\nfips = fips\n[fips]\nactivate = 1\n' >"$folder/openssl.cnf"
OPENSSL_CONF=$folder/openssl.cnf
export OPENSSL_CONF
fault 'FIPS set up wrong' 1 FAILED configuration '5003: '
unset OPENSSL_CONF
[ "$cases" -ge 36 ] || fail "only $cases faults were tried"
echo "$cases faults named"
