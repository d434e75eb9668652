# Cases of selftest.sh: the reports of ekmhost about a provider that breaks a rule of the interface.

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

# An exception in the provider: the session ends, the databases that need it stay closed, and the server goes on.
case_exception() {
    [ "$suffix" = so ] || return 0
    export ROGUE_FILE="$build/dummy_rogue.$suffix"
    flow exception || fail 'the flow itself'
    cat >"$work/first.sql" <<'SQL'
SELECT state_desc FROM sys.databases WHERE name = 'D';
SELECT DECRYPTBYASYMKEY(ASYMKEY_ID('TDE_Key'), 0x00);
PRINT 'not in this batch';
GO
PRINT 'nor in the next';
SQL
    echo "PRINT 'the server goes on';" >"$work/second.sql"
    got=0
    ekmhost --data "$data" --trace "$work/first.sql" "$work/second.sql" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" = 1 ] || fail "exit $got instead of 1"
    has '^RECOVERY_PENDING$'
    has '^Msg 33055, Level 16, '
    lacks 'not in this batch'
    lacks 'nor in the next'
    has '^the server goes on$'
    logged 'Error: 33055, '
    calls SqlCryptFreeProvider 0
    tail -1 "$work/err" | grep -q '^ekmhost: .* 1 errors$' || fail 'the last line'
}
