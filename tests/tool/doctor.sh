#!/bin/sh
# doctor.sh BUILD: the table of faults and of doctor's words for them. Each fault is made at vaultsim or on the way to it, and
# the step that meets it must name it as what it is. network.sh has the faults of the network and of answers.
. "$(dirname -- "$0")/tool.sh"
. "$(dirname -- "$0")/faults.sh"
start_vault

fault ready 0 ok unwrap 'random bytes came back'
says '^ready: '

# --- the way ---
configure connect_to=::no-such-host.invalid:443
fault 'name does not resolve' 1 FAILED dns '3900: the name does not resolve: no-such-host.invalid'
configure connect_to=::127.0.0.1:1
fault 'connection refused' 1 FAILED tcp '3102: 127.0.0.1 port 1: connection refused'
"$build/connect_proxy" 1 >"$folder/proxy" &
other_pid=$!
wait_for "$folder/proxy" '^ready'
proxy_port=$(sed -n 's/^ready //p' "$folder/proxy")
configure "connect_to=::127.0.0.1:$proxy_port"
fault 'silence' 1 FAILED tls '3107: connected, but no answer to TLS'
configure "proxy=http://127.0.0.1:$proxy_port"
fault 'proxy leads nowhere' 1 FAILED proxy '5013: no way to 127.0.0.1 through the proxy: the proxy does not answer'
configure proxy=http://127.0.0.1:1
fault 'proxy refuses' 1 FAILED proxy '5013: the proxy does not answer: 127.0.0.1 port 1: connection refused'
configure proxy=http://no-such-proxy.invalid:8080
fault 'proxy without a name' 1 FAILED dns '5013: the name of the proxy does not resolve'
control_port=$(sed -n 's/.*control 127.0.0.1:\([0-9]*\).*/\1/p' "$folder/ready")
configure "proxy=http://127.0.0.1:$control_port"
fault 'proxy says no' 1 FAILED proxy '5013: no way to 127.0.0.1 through the proxy: HTTP/1.1 [45]'
configure "connect_to=::127.0.0.1:$control_port"
fault 'no TLS there' 1 FAILED tls '3106: the handshake failed'
configure ca_file=
fault 'untrusted certificate' 1 FAILED tls '3106: the server.s certificate is not trusted: .*not an authority of Azure'
configure
fault 'foreign root' 0 warning tls 'INTERCEPTION'

openssl req -x509 -newkey rsa:2048 -nodes -subj '/O=Microsoft Corporation/CN=test root' -keyout "$folder/ca.key" \
    -out "$folder/ca.pem" -days 9 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj "/CN=$host" -keyout "$folder/old.key" -out "$folder/old.csr" 2>/dev/null
printf 'subjectAltName=DNS:%s\n' "$host" >"$folder/ext"
# expired OPTION...: signs a certificate that has ended. OpenSSL 3.5 takes no negative number of days, 3.0 no dates.
expired() {
    openssl x509 -req "$@" -days -1 2>/dev/null ||
        openssl x509 -req "$@" -not_before 20240101000000Z -not_after 20240102000000Z 2>/dev/null
}
expired -in "$folder/old.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial -extfile "$folder/ext" -out "$folder/old.pem"
kill "$other_pid"
wait "$other_pid" 2>/dev/null || true
openssl s_server -accept 127.0.0.1:0 -cert "$folder/old.pem" -key "$folder/old.key" -www >"$folder/server" 2>&1 &
other_pid=$!
wait_for "$folder/server" '^ACCEPT'
old_port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$folder/server")
configure "ca_file=$folder/ca.pem" "connect_to=::127.0.0.1:$old_port"
fault 'expired certificate' 1 FAILED tls '3106: .*certificate has expired'
configure

faults '"path":"/keys","host":"contoso-vault","action":"hang"'
fault 'vault hangs' 1 FAILED http '3107: TLS works, but no response'
faults '"path":"/keys","host":"contoso-vault","action":"html","status":403'
fault 'a page' 1 FAILED challenge '5014: .*response is not the vault.s'
faults '"path":"/keys","host":"contoso-vault","action":"no_challenge"'
fault 'no challenge' 1 FAILED challenge '3203: '
faults
ctl POST /settings '{"clock_offset_s":900}'
fault 'clock behind' 1 FAILED clock 'clock is (89|90)[0-9] s behind'
ctl POST /settings '{"clock_offset_s":0}'

# --- sign-in ---
identity=nothing.example.com
fault 'no vault' 1 FAILED credential '5002: '
identity=contoso-vault
given_secret=short
fault 'short secret' 1 FAILED credential '2050: '
given_secret=
fault 'no secret' 1 FAILED credential '2050: .*standard input holds no SECRET'
given_secret="99999999222243338444555555555555$secret"
fault 'unknown application' 1 FAILED sign-in '3303: .*AADSTS700016: no such application'
given_secret="${client}wrong"
fault 'wrong secret' 1 FAILED sign-in '3303: .*AADSTS7000215: the client secret is wrong'
given_secret="'$client$secret'"
fault 'quoted secret' 1 FAILED credential '3303: .*is a quote'
unset given_secret
given_secret=managed-identity
AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:1
export AZURE_POD_IDENTITY_AUTHORITY_HOST
fault 'no managed identity' 1 FAILED sign-in '5018: '
unset AZURE_POD_IDENTITY_AUTHORITY_HOST
mkdir "$folder/certificates"
configure "certificate_folder=$folder/certificates"
given_secret="certificate:$client:app"
fault 'no certificate' 1 FAILED sign-in '5024: .*app'
openssl req -newkey rsa:2048 -nodes -subj /CN=app -keyout "$folder/app.key" -out "$folder/app.csr" 2>/dev/null
use_app_certificate() {
    cat "$folder/app.key" "$folder/app.crt" >"$folder/certificates/app.pem"
    ctl POST /clients "{\"client_id\":\"11111111-2222-4333-8444-555555555555\",\"certificates\":[\"$folder/app.crt\"]}"
}
openssl x509 -req -in "$folder/app.csr" -signkey "$folder/app.key" -days 9 -out "$folder/app.crt" 2>/dev/null
use_app_certificate
fault 'certificate ends soon' 0 warning certificate 'good until 20[0-9-]*, [89] days'
expired -in "$folder/app.csr" -signkey "$folder/app.key" -out "$folder/app.crt"
use_app_certificate
fault 'certificate expired' 1 FAILED sign-in '5025: '
configure
unset given_secret
faults '"path":"oauth2","host":"login","action":"hang"'
fault 'Entra hangs' 1 FAILED sign-in '(3107|5001): .*login'
faults

# --- permissions and key ---
permissions ''
fault 'no role' 1 FAILED get '3113: .*http 403 Forbidden ForbiddenByRbac'
permissions '"get","list","wrapKey"'
fault 'may not unwrap' 1 FAILED unwrap '3113: '
says '^ok .* wrap +may wrap'
permissions '"get","list","unwrapKey"'
fault 'may not wrap' 1 FAILED wrap '3113: '
says '^ok .* unwrap +may unwrap'
permissions '"get","wrapKey","unwrapKey"'
fault 'may not list' 0 warning list '3113: may not list'
permissions "$all" false
for deny in firewall nsp; do
    ctl POST "/vaults/$host/firewall" "{\"deny\":\"$deny\"}"
    fault "$deny" 1 FAILED get '5011: the vault.s network rules'
done
ctl POST "/vaults/$host/firewall" '{"deny":"connection"}'
fault 'private link' 1 FAILED sign-in '5011: .*ForbiddenByConnection'
ctl POST "/vaults/$host/firewall" '{"deny":"none"}'
key=Missing
fault 'no such key' 1 FAILED get '3112: '
key='bad_name'
fault 'illegal name' 1 FAILED get '3110: '
make() {
    key=$1
    ctl POST /keys "{\"vault\":\"$host\",\"name\":\"$1\",\"key_size\":2048,$2}"
}
make Disabled '"kty":"RSA","enabled":false'
fault 'disabled key' 1 FAILED key '5004: '
make Expired '"kty":"RSA","exp":1500000000'
fault 'expired key' 1 FAILED key '5005: the key expired: enabled, until 2017-07-14'
make Early '"kty":"RSA","nbf":4000000000'
fault 'early key' 1 FAILED key '5005: the key is not valid yet'
make Signing '"kty":"RSA","key_ops":["sign","verify"]'
fault 'other operations' 1 FAILED key '5012: '
make Curve '"kty":"EC"'
fault 'no RSA' 1 FAILED key '3: '
make Purgeable '"kty":"RSA","purge_protection":false'
fault 'can be purged' 0 warning purge 'without purge protection'
make Ends "\"kty\":\"RSA\",\"exp\":$(($(date +%s) + 40 * 86400 + 3600))"
fault 'key ends soon' 0 warning key 'Ends/.*, 40 days, may wrap and unwrap'
key=TdeKey0
fault 'end of secret unknown' 0 skipped secret 'set secret_expires'
configure "secret_expires=11111111-2222-4333-8444-555555555555: $(date -u -d '+50 days' +%Y-%m-%d)"
fault 'secret ends soon' 0 warning secret "good until 20[0-9-]*, (49|50) days"
configure "secret_expires=$(date -u -d '+90 days' +%Y-%m-%d)"
fault 'secret is good' 0 ok secret 'good until'
configure 'secret_expires=2026-02-30'
fault 'no such day' 1 FAILED configuration '5003: .*secret_expires: must be a list of YYYY-MM-DD'
configure 'second_vault=contoso-vault: contoso-vault.vault.usgovcloudapi.net'
fault 'second of another cloud' 1 FAILED configuration '5003: .*:[0-9]+: second_vault: .*same cloud'
configure 'second_vault=contoso-vault: second-vault'
fault 'second without the key' 0 warning second-keys '1 keys of the first vault asked for, 1 not there; the first: TdeKey0: 4: '
says '^ok .* second-vault +second-vault.vault.azure.net takes the same sign-in'
"$build/vaultsim" ctl --state "$folder/vault" GET "/keys/pem?vault=$host&name=TdeKey0" | awk '{ printf "%s\\n", $0 }' >"$folder/pem"
ctl POST /keys "{\"vault\":\"second-vault.vault.azure.net\",\"name\":\"TdeKey0\",\"pem\":\"$(cat "$folder/pem")\"}"
fault 'second has the key' 0 ok second-keys '1 keys of the first vault asked for, 0 not there'
ctl POST /clients '{"client_id":"11111111-2222-4333-8444-555555555555","permissions":["get","list"],"vault":"second-vault.vault.azure.net"}'
fault 'no unwrap in the second' 1 FAILED second-unwrap '3113: '
ctl POST /clients '{"client_id":"11111111-2222-4333-8444-555555555555","permissions":[],"vault":"second-vault.vault.azure.net"}'
fault 'no role in the second' 0 warning second-keys 'the first: TdeKey0: 4: .*permission to list'
configure
faults '"path":"wrapkey","action":"status","status":429'
fault 'throttled' 1 FAILED wrap '3109: '
says '^warning .* throttling +[12] of 5 requests'
faults

# --- here ---
configure "keymap_file=$folder/nowhere/deep/map"
fault 'map not writable' 1 FAILED map '2058: .*nowhere/deep/map'
configure
printf '%s\t%s\thttps://%s/keys/Gone/0123456789abcdef0123456789abcdef\nno entry\n' "$host" \
    00112233445566778899AABBCCDDEEFF00112233 "$host" >"$folder/vault/keymap"
fault 'key of the map is gone' 0 warning map-entries '1 keys of this vault asked for, 1 not there; the first: .*3112'
says '^warning .* map +.*1 lines that are none'
rm "$folder/vault/keymap"
configure nonsense_timeout=1 log_level=everything
fault 'bad value' 1 FAILED configuration '5003: .*log_level'
configure
chmod 666 "$AKVEKM_CONFIG"
fault 'unsafe configuration' 1 FAILED configuration '5003: '
chmod 600 "$AKVEKM_CONFIG"

tool 0 doctor --user "$user" --json --identity contoso-vault --key TdeKey0
says '^{"steps":\['
says '"step":"unwrap","outcome":"ok"'
says '^\],"ready":true,"failed":0,'
tool 2 doctor --identity contoso-vault
tool 2 doctor --identity contoso-vault --key TdeKey0 --secret x
says 'a secret is no argument'
! grep -qF "$secret" "$folder/vault/akv-ekm.log" || fail 'the secret is in the log'
[ "$cases" -ge 40 ] || fail "only $cases faults were tried"
echo "$cases faults named"
