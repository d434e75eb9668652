#!/bin/sh
# R43, R61: without the registry key the vault's key cannot be opened (2058), and it is not made behind the
# administrator's back. Once it is made by hand, all works.
. "$(dirname -- "$0")/../integration/scenario.sh"

open_key() {
    cat <<'SQL'
CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
}

begin
drop_branch
version=$(new_key TdeKey0)
set_up_provider
open_key | run 1
has '^Msg 33049, Level 16, State 2, Line 1$'
has "^Key with name 'TdeKey0' does not exist in the provider or access is denied\. Provider error code: 2058\. (Provider Error - no explanation is available, consult your EKM provider for details)\$"
wine reg query "$provider_key" >/dev/null 2>&1 && fail 'the registry key was made by the library'
sql <<'SQL'
SELECT COUNT(*) FROM sys.asymmetric_keys;
SQL
has '^ *0$'
wine reg add "$provider_key" /f >/dev/null
set_up_key
set_up_database
thumbprint=$(thumbprint_of TDE_Key)
map_has "$thumbprint" "TdeKey0/$version"
database_opens
# The branch is lost, and its entry put back by hand from what the vault shows.
forget_map
add_entry "https://$vault" "$thumbprint" "https://$vault/keys/TdeKey0/$version"
database_opens
