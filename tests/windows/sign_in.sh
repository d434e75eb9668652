#!/bin/sh
# The DLL signs in by the machine's identity: IMDS and App Service, which the environment of the process names.
. "$(dirname -- "$0")/../integration/scenario.sh"

surround() {
    unset AZURE_POD_IDENTITY_AUTHORITY_HOST
    while IFS= read -r line; do
        export "${line?}"
    done <"$folder/vault/$1"
}

set_up
sql <<'SQL'
ALTER CREDENTIAL tde_cred WITH IDENTITY = '$(VAULT)', SECRET = 'managed-identity';
ALTER CREDENTIAL login_cred WITH IDENTITY = '$(VAULT)', SECRET = 'managed-identity';
SQL
surround identity.env
reset_counters
database_opens
expect_counter imds 1
surround identity-app-service.env
database_opens
expect_counter app-service 1
expect_counter leaked_secrets 0
