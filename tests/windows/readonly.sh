#!/bin/sh
# R44, R61: the service account may read the branch but not write it: what is known opens, a new key is 2058.
. "$(dirname -- "$0")/../integration/scenario.sh"

open_second() {
    cat <<'SQL'
CREATE ASYMMETRIC KEY Other FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'Other', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
}

begin
version=$(new_key TdeKey0)
new_key Other >/dev/null
set_up_provider
# It is still empty.
rights read
new_key Fresh >/dev/null
run 1 <<'SQL'
CREATE ASYMMETRIC KEY Fresh FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'Fresh', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
msg 33049 2058
rights full
set_up_key
set_up_database
before=$(map)
rights read
database_opens
open_second | run 1
msg 33049 2058
[ "$(map)" = "$before" ] || fail 'the branch was changed'
# A key that is known needs no writing.
sql <<'SQL'
CREATE DATABASE Again;
GO
USE Again;
CREATE ASYMMETRIC KEY Here FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
# Not even reading.
rights none
open_second | run 1
msg 33049 2058
rights full
open_second | sql
map_has "$(thumbprint_of TDE_Key)" "TdeKey0/$version"
