#!/bin/sh
# C3: an engine that knows no RSA_3072 takes such a key as RSA_2048 if the library is told to say so.
. "$(dirname -- "$0")/scenario.sh"

open_key() {
    cat <<'SQL'
CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login FROM ASYMMETRIC KEY TDE_Key;
ALTER LOGIN TDE_Login ADD CREDENTIAL login_cred;
SQL
}

start_vault
new_key TdeKey0 3072 >/dev/null
set_up_provider
sql <<'SQL'
CREATE CREDENTIAL login_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
SQL
open_key | run 1 --engine-tags RSA_512,RSA_1024,RSA_2048
msg 33088
configure 'report_3072_as_2048 = yes'
open_key | run 0 --engine-tags RSA_512,RSA_1024,RSA_2048
run 0 --engine-tags RSA_512,RSA_1024,RSA_2048 <<'SQL'
SELECT name, algorithm_desc, key_length FROM sys.asymmetric_keys;
SELECT key_name, algorithm_tag FROM sys.dm_cryptographic_provider_keys(65536);
SQL
has '^TDE_Key  *RSA_2048  *2048$'
has '^TdeKey0  *RSA_2048$'
set_up_database
database_opens
# What was recorded so still opens when the engine and the setting are newer.
configure 'report_3072_as_2048 = no'
database_opens
[ "$(thumbprint_of TDE_Key | wc -c)" = 41 ] || fail 'the thumbprint is that of the key'
