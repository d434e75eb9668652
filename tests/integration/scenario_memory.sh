#!/bin/sh
# After Free no client secret, token or unwrapped key is anywhere in the memory of the process, the client secret already when
# its last session is closed. In processes with one life of the provider, as SQL Server has, with the tenants file and without;
# and after many lives in one process. AKVEKM_LIVES: how many processes each.
. "$(dirname -- "$0")/scenario.sh"

start_vault
new_key TdeKey0 >/dev/null
# Every byte turned by 0x55: the process must not be given what it is searched for.
masked=$(printf '%s' "$SECRET" | od -An -v -tu1 | tr -s ' ' '\n' | sed '/^$/d' | while read -r byte; do
    printf '%02x' $((byte ^ 0x55))
done)
unset SECRET

# live LIVES: in a process of its own
live() {
    "$build/memory_scan" "$LIBRARY" "$VAULT" TdeKey0 "$masked" "$1" >"$folder/out" 2>"$folder/err" ||
        fail "something is left: $2"
    has '^[1-9][0-9]* MiB searched'
}

count=${AKVEKM_LIVES:-20}
while [ "$count" -gt 0 ]; do
    rm -f "$keymap.tenants"
    live 1 'life without tenants file'
    [ -s "$keymap.tenants" ] || fail 'no tenants file'
    live 1 'life with a tenants file'
    count=$((count - 1))
done
live 20 'twenty lives'

# A response that stops shortly before its end, and another one that is faster: of the first one's token or key nothing is left.
configure 'hedge = yes'
for late in oauth2 unwrapkey; do
    reset_counters
    ctl POST /faults "{\"path\":\"$late\",\"action\":\"hang_body\",\"part\":99}" >/dev/null
    live 1 "a late response to $late"
    count=$(counter "$(printf '%s' "$late" | sed 's/oauth2/token/')")
    [ "$count" = 2 ] || fail "$late was sent $count times"
done
configure 'hedge = no'

# The other forms of signing in: no private key, assertion, header of App Service or federated token is left.
mask() {
    od -An -v -tu1 | tr -s ' ' '\n' | sed '/^$/d' | while read -r byte; do
        printf '%02x' $((byte ^ 0x55))
    done
}

surround() {
    while IFS= read -r line; do
        export "${line?}"
    done <"$folder/vault/$1"
}

# form WHAT SECRET [MARK]...
form() {
    what=$1
    secret=$(printf '%s' "$2" | mask)
    shift 2
    for lives in 1 5; do
        "$build/memory_scan" "$LIBRARY" "$VAULT" TdeKey0 "$secret" "$lives" "$@" >"$folder/out" 2>"$folder/err" ||
            fail "something is left: $what, $lives lives"
    done
}

application=11111111-2222-4333-8444-555555555555
identity=33333333-4444-4555-8666-777777777777
# The head of the library's own assertions.
assertion=$(printf 'eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCIsIng1dCNTMjU2Ijoi' | mask)
surround identity.env
form 'managed identity' managed-identity "$assertion"
mkdir -m 700 "$folder/vault/certificates"
configure "certificate_folder = $folder/vault/certificates"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/key.pem" -out "$folder/cert.pem" -days 90 -subj /CN=sql 2>/dev/null
ctl POST /clients "{\"client_id\":\"$application\",\"certificates\":[\"$folder/cert.pem\"]}" >/dev/null
# The first prime, as the file has it and as the processor has it, and the third line of the PEM.
prime=$(openssl rsa -in "$folder/key.pem" -text -noout 2>/dev/null | sed -n '/^prime1/,/^prime2/p' | grep '^ ' | tr -d ' :\n' | sed 's/^00//')
hex_mask() {
    fold -w 2 | while read -r byte || [ -n "$byte" ]; do
        printf '%02x' $((0x$byte ^ 0x55))
    done
}
big=$(printf '%s' "$prime" | cut -c 1-64 | hex_mask)
little=$(printf '%s' "$prime" | fold -w 2 | tac | head -n 32 | tr -d '\n' | hex_mask)
line=$(sed -n 3p "$folder/key.pem" | tr -d '\n' | mask)
cat "$folder/key.pem" "$folder/cert.pem" >"$folder/vault/certificates/sql.pem"
form 'certificate, PEM' "certificate:$application:sql" "$assertion" "$big" "$little" "$line"
rm "$folder/vault/certificates/sql.pem"
openssl pkcs12 -export -in "$folder/cert.pem" -inkey "$folder/key.pem" -passout pass:Canary-Pass-1 -out "$folder/vault/certificates/sql.pfx"
printf 'Canary-Pass-1' >"$folder/vault/certificates/sql.password"
form 'certificate, PFX' "certificate:$application:sql" "$assertion" "$big" "$little" "$(printf 'Canary-Pass-1' | mask)"
ctl POST /clients "{\"client_id\":\"$application\",\"federated\":[{}]}" >/dev/null
ctl POST /oidc/token >/dev/null
surround workload.env
form 'workload identity' workload-identity "$(tail -c 60 "$AZURE_FEDERATED_TOKEN_FILE" | tr -d '\n' | mask)"
tenant=$AZURE_TENANT_ID
ctl POST /clients "{\"client_id\":\"$application\",\"federated\":[{\"issuer\":\"https://login.microsoftonline.com/$tenant/v2.0\",
    \"subject\":\"33333333-aaaa-4555-8666-777777777777\",\"audience\":\"api://AzureADTokenExchange\"}]}" >/dev/null
form 'federated identity' "federated-identity:$application:$identity" "$assertion"
surround identity-app-service.env
form 'App Service' managed-identity "$(printf 'X-IDENTITY-HEADER: %s' "$IDENTITY_HEADER" | mask)"
