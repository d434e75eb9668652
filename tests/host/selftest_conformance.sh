# Cases of selftest.sh: what ekmhost says of a provider that breaks a rule of the interface.

# flow RULE: everything from registration to an encrypted database, with a provider that breaks this rule
flow() {
    data="$work/data-$1"
    enable_ekm
    cat >"$work/flow.sql" <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(ROGUE_FILE)';
CREATE CREDENTIAL cred WITH IDENTITY = 'vault-a', SECRET = 'right' FOR CRYPTOGRAPHIC PROVIDER Prov;
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL cred;
GO
CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'K', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login FROM ASYMMETRIC KEY TDE_Key;
CREATE CREDENTIAL tde_cred WITH IDENTITY = 'vault-a', SECRET = 'right' FOR CRYPTOGRAPHIC PROVIDER Prov;
ALTER LOGIN TDE_Login ADD CREDENTIAL tde_cred;
CREATE DATABASE D;
GO
USE D;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
ALTER DATABASE D SET ENCRYPTION ON;
GO
SQL
    export ROGUE="$1"
    ekmhost --data "$data" "$work/flow.sql" >"$work/out" 2>"$work/err"
}

# breach RULE FUNCTION TEXT EXIT
breach() {
    got=0
    flow "$1" || got=$?
    [ "$got" = "$4" ] || fail "$1: exit $got instead of $4"
    grep -q "^conformance: $2: .*$3" "$work/err" || fail "$1: no line of $2 about '$3'"
    grep -q '^conformance: [1-9][0-9]* breaches$' "$work/err" || fail "$1: no count"
    tail -1 "$work/err" | grep -q '^ekmhost: ' || fail "$1: the last line"
}

case_conformance() {
    export ROGUE_FILE="$build/dummy_rogue.$suffix"
    flow '' || fail 'the flow itself'
    if grep -q '^conformance' "$work/err"; then fail 'a breach where there is none'; fi
    breach padding SqlCryptGetProviderInfo padding 0
    breach enumeration SqlCryptGetNextAlgorithmId 'go on' 0
    breach 'algorithm tag' SqlCryptGetAlgorithmInfo RSA_2048 0
    breach 'eager key info' SqlCryptGetKeyInfoByName 'more than the sizes' 0
    breach 'own pointer' SqlCryptExportKey pointer 1
    breach 'past the end' SqlCryptEncrypt 'past a buffer' 0
    breach 'never enough' SqlCryptEncrypt 'not room enough' 1
    breach 'grown size' SqlCryptEncrypt 'in a buffer of' 1
    breach 'success without buffer' SqlCryptEncrypt 'without a buffer' 1
    breach 'thumbprint length' SqlCryptGetProviderInfo '64 bytes' 1
}
