#!/bin/sh
# R64 to R69: rotation by bare name and by name/version, in a vault and in a Managed HSM. Only the database encryption
# key is wrapped anew; the backup from before still restores (R71).
. "$(dirname -- "$0")/scenario.sh"

pages() {
    tail -c +8193 "$server/DemoTde.mdf" | cksum
}

# open_next NUMBER PROVIDER-KEY-NAME: R67, the second and later keys with credential and login of their own
open_next() {
    N=$1 KEY=$2 sql <<'SQL'
CREATE CREDENTIAL tde_cred$(N) WITH IDENTITY = '$(VAULT)',
    SECRET = '$(SECRET)' FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL tde_cred$(N);
CREATE ASYMMETRIC KEY TDE_Key$(N) FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = '$(KEY)', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login$(N) FROM ASYMMETRIC KEY TDE_Key$(N);
ALTER LOGIN [CONTOSO\dba] DROP CREDENTIAL tde_cred$(N);
ALTER LOGIN TDE_Login$(N) ADD CREDENTIAL tde_cred$(N);
SQL
}

# rotate NUMBER VERSION: to the key opened as TDE_Key<NUMBER>, which must be this version
rotate() {
    before=$(pages)
    reset_counters
    N=$1 sql <<'SQL'
USE DemoTde;
GO
ALTER DATABASE ENCRYPTION KEY ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key$(N);
SQL
    expect_counter wrapkey 1
    [ "$(pages)" = "$before" ] || fail 'R69: the data pages changed'
    sql <<'SQL'
SELECT encryptor_thumbprint FROM sys.dm_database_encryption_keys WHERE database_id = DB_ID('DemoTde');
SQL
    thumbprint=$(value | sed 's/^0x//')
    [ "$thumbprint" = "$(thumbprint_of "TDE_Key$1")" ] || fail 'R68: another thumbprint than that of the key'
    [ "$thumbprint" != "$first" ] || fail 'a new version must have a new thumbprint'
    map_has "$thumbprint" "TdeKey0/$2"
    map_has "$first" "TdeKey0/$version1"
    database_opens
}

# rotation IDENTITY HOST KTY
rotation() {
    export VAULT="$1"
    server=$folder/$2
    rm -f "$folder/old.bak"
    version1=$(new_key TdeKey0 2048 "$2" "$3")
    set_up_provider
    set_up_key
    set_up_database
    sql <<'SQL'
BACKUP DATABASE DemoTde TO DISK = '$(BACKUPS)/old.bak';
ALTER LOGIN [CONTOSO\dba] DROP CREDENTIAL tde_cred;
SQL
    first=$(thumbprint_of TDE_Key)
    version2=$(new_key TdeKey0 2048 "$2" "$3")
    # R54, R66: what is encrypted already stays with the version it was opened with
    database_opens
    open_next 2 TdeKey0
    rotate 2 "$version2"
    version3=$(new_key TdeKey0 3072 "$2" "$3")
    open_next 3 "TdeKey0/$version3"
    rotate 3 "$version3"
    N=4 KEY="TdeKey0/$version1" run 1 <<'SQL'
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL tde_cred2;
GO
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL tde_cred;
CREATE ASYMMETRIC KEY Again FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = '$(KEY)', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
    msg 33042 # that of the second key serves its login alone
    msg 15396
    sql <<'SQL'
BACKUP LOG DemoTde TO DISK = '$(BACKUPS)/log.bak';
ALTER DATABASE DemoTde SET SINGLE_USER WITH ROLLBACK IMMEDIATE;
DROP DATABASE DemoTde;
GO
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUPS)/old.bak';
GO
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SELECT encryptor_thumbprint FROM sys.dm_database_encryption_keys WHERE database_id = DB_ID('DemoTde');
SQL
    has '^Ada Lovelace$'
    [ "$(value)" = "0x$first" ] || fail 'the old backup is under the old version'
    # One credential handed on by DROP and ADD works too, once nothing needs the key of the login it is taken from.
    sql <<'SQL'
ALTER LOGIN TDE_Login3 DROP CREDENTIAL tde_cred3;
ALTER LOGIN TDE_Login DROP CREDENTIAL login_cred;
ALTER LOGIN TDE_Login ADD CREDENTIAL tde_cred3;
SQL
    database_opens
}

start_vault
rotation contoso-vault contoso-vault.vault.azure.net RSA
rotation contoso-hsm.managedhsm.azure.net contoso-hsm.managedhsm.azure.net RSA-HSM
