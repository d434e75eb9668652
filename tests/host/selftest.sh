#!/bin/sh
# selftest.sh BUILD-FOLDER CASE: tests ekmhost with a dummy provider. Each case has an instance of its own.
set -u
build=$1
case_name=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/ekmhost-selftest.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ -f "$build/ekmhost.exe" ]; then # cross compiled: under Wine, which takes the paths as they are
    suffix=dll
    ekmhost() { timeout 120 sh "$here/../../cmake/windows/wine.sh" "$build" "$build/ekmhost.exe" "$@"; }
else
    suffix=so
    ekmhost() { timeout 120 "$build/ekmhost" "$@"; }
fi
export DUMMY_FOLDER="$work/keys" DUMMY_LOG="$work/calls" PROVIDER="$build/dummy_provider.$suffix"
export BACKUPS="$work"
mkdir "$work/keys"
failed=0

fail() {
    echo "FAILED ($case_name): $*"
    sed 's/^/    | /' "$work/out"
    failed=1
}

new_key() { # NAME VERSION
    openssl genrsa -out "$work/keys/$1.$2.pem" "${3:-2048}" 2>"$work/openssl" || fail "openssl genrsa"
}

# Of some thousand programs that Wine 8 starts on a busy machine it ends one with code 1 before its first line; ekmhost
# with --trace always writes one.
never_began() { [ "$suffix" = dll ] && [ "$got" = 1 ] && [ ! -s "$work/out" ] && [ ! -s "$work/err" ]; }

# sql EXIT [OPTION...] : T-SQL from standard input; output in $work/out, standard error in $work/err
sql() {
    wanted=$1
    shift
    cat >"$work/script.sql"
    : >"$work/calls"
    got=1
    for _ in 1 2; do
        ekmhost --data "${data:-$work/data}" --trace "$@" "$work/script.sql" >"$work/out" 2>"$work/err"
        got=$?
        never_began || break
    done
    [ "$got" = "$wanted" ] || { fail "exit $got instead of $wanted"; tail -5 "$work/err"; }
}

has() { grep -q -- "$1" "$work/out" || fail "no '$1' in the output"; }
lacks() { if grep -q -- "$1" "$work/out"; then fail "'$1' in the output"; fi; }
calls() { # FUNCTION COUNT: successful calls, the size queries not counted
    count=$(grep -c "trace: $1 = 0 " "$work/err")
    [ "$count" = "$2" ] || fail "$count calls of $1 instead of $2"
}
reported() { grep -qx -- "report: $1" "$work/err" || fail "no report of '$1'"; }
logged() { grep -q -- "$1" "${data:-$work/data}/errorlog" || fail "no '$1' in the errorlog"; }

enable_ekm() {
    sql 0 <<'SQL'
EXEC sp_configure 'show advanced options', 1;
RECONFIGURE;
EXEC sp_configure 'EKM provider enabled', 1;
RECONFIGURE;
SQL
}

# R48 to R55: the provider, a credential, a key, its login.
set_up() {
    new_key TdeKey0 1
    enable_ekm
    sql 0 <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER Prov FROM FILE = '$(PROVIDER)';
CREATE CREDENTIAL cred WITH IDENTITY = 'vault-a', SECRET = 'right' FOR CRYPTOGRAPHIC PROVIDER Prov;
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL cred;
GO
CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login FROM ASYMMETRIC KEY TDE_Key;
CREATE CREDENTIAL tde_cred WITH IDENTITY = 'vault-a', SECRET = 'right' FOR CRYPTOGRAPHIC PROVIDER Prov;
ALTER LOGIN TDE_Login ADD CREDENTIAL tde_cred;
SQL
}

# R56, with a table.
encrypt_database() {
    sql 0 <<'SQL'
CREATE DATABASE DemoTde;
GO
USE DemoTde;
CREATE TABLE people (id int, name varchar(40));
INSERT INTO people VALUES (1, 'Ada Lovelace'), (2, 'Grace Hopper');
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256
ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
ALTER DATABASE DemoTde SET ENCRYPTION ON;
SQL
}

# A second version of the vault's key, opened under a name of its own, with its login.
open_second_version() {
    new_key TdeKey0 2
    sql 0 <<'SQL'
CREATE ASYMMETRIC KEY TDE_Key2 FROM PROVIDER Prov
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login2 FROM ASYMMETRIC KEY TDE_Key2;
CREATE CREDENTIAL tde_cred2 WITH IDENTITY = 'vault-a', SECRET = 'right' FOR CRYPTOGRAPHIC PROVIDER Prov;
ALTER LOGIN TDE_Login2 ADD CREDENTIAL tde_cred2;
SQL
}

. "$here/selftest_cases.sh"
. "$here/selftest_databases.sh"
. "$here/selftest_conformance.sh"
"case_$case_name"
[ "$failed" = 0 ] && echo "ok: $case_name"
exit "$failed"
