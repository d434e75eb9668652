#!/bin/sh
# From a secret to each other form of signing in, by ALTER CREDENTIAL alone: the database opens after every restart, the
# log names form and identity, what is refused has its own code, and no secret strays.
. "$(dirname -- "$0")/scenario.sh"

application=11111111-2222-4333-8444-555555555555
identity=33333333-4444-4555-8666-777777777777
identity_object=33333333-aaaa-4555-8666-777777777777

# surround FILE...: the environment of that machine, and no other
surround() {
    unset IDENTITY_ENDPOINT IDENTITY_HEADER IMDS_ENDPOINT AZURE_POD_IDENTITY_AUTHORITY_HOST AZURE_CLIENT_ID AZURE_TENANT_ID \
        AZURE_FEDERATED_TOKEN_FILE AZURE_AUTHORITY_HOST AZURE_KUBERNETES_TOKEN_PROXY AZURE_KUBERNETES_SNI_NAME \
        AZURE_KUBERNETES_CA_FILE
    for file in "$@"; do
        while IFS= read -r line; do
            export "${line?}"
        done <"$folder/vault/$file"
    done
}

# requests NAME COUNT: of the last opening
requests() {
    expect_counter "$1" "$2"
}

set_up

# A virtual machine.
surround identity.env
opens managed-identity 'sign_in="managed-identity source=imds"'
requests imds 1
requests token 0
requests challenge 1
opens "Managed-Identity:$identity" "sign_in=\"managed-identity source=imds client_id=$identity\""
opens "managed-identity:object:$identity_object" "object_id=$identity_object"
resource=$(ctl GET /identities | tr -d ' \t\n' | sed -n 's/.*"resource_id":"\([^"]*\)".*/\1/p')
opens "managed-identity:resource:$resource" 'resource_id=/subscriptions/'
refused managed-identity:44444444-4444-4444-8444-444444444444 5019
refused managed-identity:nobody 5016
refused federated-identity 5016
ctl POST /faults '{"host":"imds","times":2,"action":"status","status":410}' >/dev/null
opens managed-identity 'managed-identity source=imds'
ctl POST /faults '{"host":"imds","times":1,"action":"status","status":429}' >/dev/null
opens managed-identity 'managed-identity source=imds'
configure 'call_timeout_ms = 1000'
ctl POST /faults '{"host":"imds","times":0,"action":"status","status":503}' >/dev/null
refused managed-identity 5020
ctl DELETE /faults >/dev/null
configure 'call_timeout_ms = 30000'
# Whatever the proxy, it is not asked.
configure 'proxy = http://127.0.0.1:9'
configure 'no_proxy = azure.net, microsoftonline.com'
opens managed-identity 'managed-identity source=imds'
configure 'proxy ='
configure 'no_proxy ='
# A redirect is followed by nobody.
ctl POST /faults '{"host":"imds","times":0,"action":"status","status":302}' >/dev/null
refused managed-identity 5019
ctl DELETE /faults >/dev/null

# The vendor's spelling.
sql <<'SQL'
ALTER CREDENTIAL tde_cred WITH IDENTITY = 'Managed Identity', SECRET = '$(VAULT).vault.azure.net';
ALTER CREDENTIAL login_cred WITH IDENTITY = 'Managed Identity', SECRET = '$(VAULT).vault.azure.net';
ALTER CREDENTIAL login_cred WITH IDENTITY = 'Managed Identity', SECRET = '$(VAULT).vault.azure.net';
SQL
database_opens
sql <<'SQL'
ALTER CREDENTIAL tde_cred WITH IDENTITY = 'managedidentity', SECRET = '$(VAULT).vault.azure.net';
ALTER CREDENTIAL login_cred WITH IDENTITY = 'managedidentity', SECRET = '$(VAULT).vault.azure.net';
SQL
database_opens
sql <<'SQL'
ALTER CREDENTIAL tde_cred WITH IDENTITY = 'Managed Identity', SECRET = 'New~Secret-that-is-no-host';
ALTER CREDENTIAL login_cred WITH IDENTITY = 'Managed Identity', SECRET = 'New~Secret-that-is-no-host';
SQL
run 1 <<'SQL'
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
SQL
msg 33028 5002

# App Service: the header is rotated while the old one lies in nobody's memory.
surround identity-app-service.env
opens managed-identity 'sign_in="managed-identity source=app-service"'
ctl POST /identities/rotate >/dev/null
surround identity-app-service.env
opens "managed-identity:$identity" "source=app-service client_id=$identity"

# A certificate, as PEM and as PFX with and without password; renewed by replacing the file.
surround identity.env
mkdir -m 700 "$folder/vault/certificates"
configure "certificate_folder = $folder/vault/certificates"
new_certificate() { # DAYS
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/key.pem" -out "$folder/cert.pem" -days "$1" -subj /CN=sql 2>/dev/null
    ctl POST /clients "{\"client_id\":\"$application\",\"certificates\":[\"$folder/cert.pem\"]}" >/dev/null
    thumbprint=$(openssl x509 -in "$folder/cert.pem" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g')
}
new_certificate 90
cat "$folder/key.pem" "$folder/cert.pem" >"$folder/vault/certificates/sql.pem"
opens "certificate:$application:sql" "sign_in=\"certificate thumbprint=$thumbprint name=sql\""
# Entra takes an assertion once. The responses to it are lost, or late: each request has one of its own.
configure 'hedge = yes'
for lost in '"action":"cut_body","times":2' '"action":"hang_body"'; do
    ctl POST /faults "{\"path\":\"oauth2\",\"host\":\"login\",$lost}" >/dev/null
    opens "certificate:$application:sql" "thumbprint=$thumbprint"
    ctl DELETE /faults >/dev/null
done
configure 'hedge = no'
rm "$folder/vault/certificates/sql.pem"
openssl pkcs12 -export -in "$folder/cert.pem" -inkey "$folder/key.pem" -passout pass: -out "$folder/vault/certificates/sql.pfx"
opens "certificate:$application:sql" "thumbprint=$thumbprint"
openssl pkcs12 -export -in "$folder/cert.pem" -inkey "$folder/key.pem" -passout pass:Pass-1 -out "$folder/vault/certificates/sql.pfx"
refused "certificate:$application:sql" 5024
echo Pass-1 >"$folder/vault/certificates/sql.password"
opens "certificate:$application:sql" "thumbprint=$thumbprint"
rm "$folder/vault/certificates"/*
new_certificate 20
cat "$folder/cert.pem" "$folder/key.pem" >"$folder/vault/certificates/sql.pem"
use_secret "certificate:$application:sql"
: >"$log"
database_opens
grep -q 'the certificate that signs in ends in [0-9]* days' "$log" || fail 'no warning of the certificate that ends'
chmod 666 "$folder/vault/certificates/sql.pem"
refused "certificate:$application:sql" 5024
refused "certificate:$application:nobody" 5024
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/other.pem" -out "$folder/other-cert.pem" -subj /CN=sql 2>/dev/null
cat "$folder/key.pem" "$folder/other-cert.pem" >"$folder/vault/certificates/pair.pem"
refused "certificate:$application:pair" 5026
# The application does not know it.
cat "$folder/other.pem" "$folder/other-cert.pem" >"$folder/vault/certificates/other.pem"
: >"$log"
refused "certificate:$application:other" 3303
grep -q 'aadsts="700027"' "$log" || fail 'no AADSTS700027 in the log'

# A pod.
ctl POST /clients "{\"client_id\":\"$application\",\"federated\":[{}]}" >/dev/null
ctl POST /oidc/token >/dev/null
surround workload.env
opens workload-identity 'sign_in="workload-identity"'
AZURE_CLIENT_ID=
opens "workload-identity:$application" "client=\"$application\""
refused workload-identity 5028
ctl POST /oidc/token '{"subject":"system:serviceaccount:default:other"}' >/dev/null
refused "workload-identity:$application" 5032
ctl POST /oidc/token '{"audience":"api://other"}' >/dev/null
refused "workload-identity:$application" 5031
ctl POST /oidc/token >/dev/null
ctl POST /clients "{\"client_id\":\"$application\",\"federated\":[{\"issuer\":\"https://other.example\"}]}" >/dev/null
refused "workload-identity:$application" 5030
ctl POST /clients "{\"client_id\":\"$application\",\"federated\":[]}" >/dev/null
ctl POST /oidc/token >/dev/null
refused "workload-identity:$application" 5029
ctl POST /clients "{\"client_id\":\"$application\",\"federated\":[{}]}" >/dev/null
ctl POST /oidc/token >/dev/null
opens "workload-identity:$application" 'sign_in="workload-identity"'
: >"$AZURE_FEDERATED_TOKEN_FILE"
refused "workload-identity:$application" 5027
AZURE_AUTHORITY_HOST=https://login.microsoftonline.us/
ctl POST /oidc/token >/dev/null
refused "workload-identity:$application" 5028

# A pod with identity bindings: by the proxy alone, if the configuration says so.
surround workload.env workload-proxy.env
configure 'aks_token_proxy = yes'
opens "workload-identity:$application" 'sign_in="workload-identity"'
AZURE_KUBERNETES_CA_DATA=x
export AZURE_KUBERNETES_CA_DATA
refused "workload-identity:$application" 5028
unset AZURE_KUBERNETES_CA_DATA
AZURE_KUBERNETES_CA_FILE=$folder/cert.pem
refused "workload-identity:$application" 3106
configure 'aks_token_proxy = no'

# An application that trusts the machine's identity.
surround identity.env
tenant=$(sed -n 's/^AZURE_TENANT_ID=//p' "$folder/vault/workload.env")
ctl POST /clients "{\"client_id\":\"$application\",\"federated\":[{\"issuer\":\"https://login.microsoftonline.com/$tenant/v2.0\",
    \"subject\":\"$identity_object\",\"audience\":\"api://AzureADTokenExchange\"}]}" >/dev/null
opens "federated-identity:$application:$identity" "sign_in=\"federated-identity source=imds client_id=$identity\""
expect_counter leaked_secrets 0

# Not every form here.
configure 'sign_in = secret, certificate'
refused managed-identity 5017
opens "$SECRET" 'sign_in="secret"'
