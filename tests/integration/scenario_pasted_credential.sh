#!/bin/sh
# IDENTITY and SECRET with what comes along by copy and paste: unseen characters around IDENTITY do not count; everything
# else is refused with a log line that shows and names the culprit, but no character of a secret.
. "$(dirname -- "$0")/scenario.sh"

good=$SECRET

# try IDENTITY SECRET EXIT: opens a key as the administrator
try() {
    : >"$log"
    VAULT=$1 SECRET=$2 run "$3" <<'SQL'
ALTER CREDENTIAL tde_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)';
GO
CREATE ASYMMETRIC KEY k FROM PROVIDER AkvEkm WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
GO
DROP ASYMMETRIC KEY k;
GO
SQL
}

works() {
    try "$1" "$2" 0
}

# told WORDS IDENTITY SECRET
told() {
    try "$2" "$3" 1
    grep ' error ' "$log" | grep -qF -- "$1" || fail "no '$1' in: $(grep ' error ' "$log")"
}

start_vault
new_key TdeKey0 >/dev/null
set_up_provider

space=$(printf '\302\240')
zero=$(printf '\342\200\213')
mark=$(printf '\357\273\277')
feed='
'
works "contoso-vault$space" "$good"
works "$mark contoso-vault$feed" "$good"
works "${zero}https://contoso-vault.vault.azure.net/ " "$good"

told "'contoso-vault}': character 14 is a brace" 'contoso-vault}' "$good"
told "'{': character 1 is a brace" '{contoso-vault}' "$good"
told "'contoso\\xC2\\xA0': character 8 is a no-break space" "contoso${space}vault" "$good"
told 'public name' 'contoso-vault.privatelink.vaultcore.azure.net' "$good"
told 'Azure Stack Hub is not supported' 'contoso-vault.vault.local.azurestack.external' "$good"

told 'SECRET ends with a line feed' contoso-vault "$good$feed"
told 'SECRET ends with a no-break space' contoso-vault "$good$space"
told 'SECRET ends with a zero-width space' contoso-vault "$good$zero"
told 'SECRET ends with a blank' contoso-vault "$good "
told 'character 1 of SECRET, still within the client ID, is a byte order mark' contoso-vault "$mark$good"
told 'character 1 of SECRET, still within the client ID, is a brace' contoso-vault "{$good}"

# The refusals of Entra are remembered by secret: the right one still works.
works contoso-vault "$good"

# A key's name is no secret: it is shown.
try_key() {
    : >"$log"
    NAME=$1 run 1 <<'SQL'
CREATE ASYMMETRIC KEY k FROM PROVIDER AkvEkm WITH PROVIDER_KEY_NAME = '$(NAME)', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
    grep ' error .*code="3110"' "$log" | grep -qF -- "$2" || fail "no '$2' in: $(grep ' error ' "$log")"
}
try_key "TdeKey0$space" "character 8 of 'TdeKey0\\xC2\\xA0' is a no-break space (U+00A0)"
try_key "Tde_Key0" "character 4 of 'Tde_Key0' is another"
