# Helpers of the scenarios, sourced with the build folder in $1: a vaultsim and a data folder of one's own, T-SQL through
# ekmhost with the built library, and expectations on what it printed. Nothing outside $folder is written; vaultsim is
# ended and the folder removed however the scenario ends. With the build folder of Windows in $2 the server is ekmhost.exe
# with akvekm.dll under Wine, and the map the registry: tests/windows/windows.sh replaces what differs.
# shellcheck shell=sh
set -eu

build=$(CDPATH='' cd -- "$1" && pwd)
scenario=$(basename -- "$0" .sh)
folder=$(mktemp -d "${TMPDIR:-/tmp}/akvekm-$scenario.XXXXXX")
server=$folder/server
keymap=$folder/vault/keymap
config=$folder/vault/akv-ekm.conf
log=$folder/vault/akv-ekm.log
library=$build/libakvekm.so
dummy=$build/dummy_provider.so
vault_pid=
vault=contoso-vault.vault.azure.net
client_secret='Sim~Secret-0.with_hyphens-1'
# What the scripts name by $(NAME).
export AKVEKM_CONFIG="$config"
export LIBRARY="$library"
export VAULT=contoso-vault
export SECRET="11111111222243338444555555555555$client_secret"
export BACKUPS="$folder"
export KEY=TdeKey0

fail() {
    printf '%s: FAILED: %s\n' "$scenario" "$*" >&2
    exit 1
}

show() {
    [ ! -s "$1" ] || tail -n 200 "$1" | sed "s|^|    $(basename -- "$1"): |" >&2
}

finish() {
    status=$?
    trap - EXIT HUP INT TERM
    set +e
    stop_vault
    if [ "$status" -eq 0 ]; then
        check_secrets || status=1
    else
        show "$folder/out"
        show "$folder/err"
        show "$folder/vaultsim.err"
        [ ! -f "$server/errorlog" ] || tail -n 20 "$server/errorlog" >&2
        [ ! -f "$folder/vault/akv-ekm.log" ] || grep -v ' debug ' "$folder/vault/akv-ekm.log" | tail -n 20 >&2
    fi
    [ -n "${KEEP-}" ] || rm -rf "$folder"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# No secret, token or row may be in the log, and no secret in the server's folder.
check_secrets() {
    encoded=$(for before in '' x xx; do # the middle, which does not depend on the bytes beside it
        printf ' -e %s' "$(printf '%s%s' "$before" "$client_secret" | base64 | tr -d '=\n' | cut -c 5-34)"
    done)
    # shellcheck disable=SC2086 # three options
    if grep -qaF $encoded -e "$client_secret" -e 'New~Secret' -e 'eyJ0eXAi' -e 'Ada Lovelace' "$folder/vault/akv-ekm.log" 2>/dev/null; then
        echo "$scenario: FAILED: a secret, token or row is in the log" >&2
        return 1
    fi
    if grep -rqaF -e "$client_secret" -e 'New~Secret' "$server" 2>/dev/null; then
        echo "$scenario: FAILED: a secret is in the server's folder" >&2
        return 1
    fi
}

# wait_for FILE TEXT PID: until the process has written it
wait_for() {
    waited=0
    until grep -q "$2" "$1"; do
        kill -0 "$3" 2>/dev/null || { cat "$1" >&2; fail "$2: its process ended"; }
        [ "$waited" -lt 300 ] || fail "no '$2'"
        waited=$((waited + 1))
        sleep 0.1
    done
}

# With $vault_options.
start_vault() {
    : >"$folder/ready"
    # shellcheck disable=SC2086
    "$build/vaultsim" --state "$folder/vault" ${vault_options-} >"$folder/ready" 2>"$folder/vaultsim.err" &
    vault_pid=$!
    wait_for "$folder/ready" '^vaultsim: ready' "$vault_pid"
    # On a busy machine responses are late, and what is late is sent once more: most scenarios count requests exactly.
    if [ "${hedge-no}" = no ] && ! grep -q '^hedge *=' "$folder/vault/akv-ekm.conf"; then
        printf 'hedge = no\n' >>"$folder/vault/akv-ekm.conf"
    fi
}

stop_vault() {
    [ -n "$vault_pid" ] || return 0
    kill "$vault_pid" 2>/dev/null || :
    wait "$vault_pid" 2>/dev/null || :
    vault_pid=
}

# ctl METHOD PATH [JSON]
ctl() {
    "$build/vaultsim" ctl --state "$folder/vault" "$@"
}

# counter NAME: of all counters, or of the requests by kind (unwrapkey, token, ...)
counter() {
    ctl GET /counters | tr -d ' \t\n' | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"
}

reset_counters() {
    ctl DELETE /counters >/dev/null
}

expect_counter() {
    count=$(counter "$1")
    [ "${count:-0}" = "$2" ] || fail "$1 counted ${count:-0} times instead of $2"
}

# wait_counter NAME COUNT: at least
wait_counter() {
    waited=0
    until count=$(counter "$1") && [ "${count:-0}" -ge "$2" ]; do
        [ "$waited" -lt 600 ] || fail "$1 counted ${count:-0} times instead of $2"
        waited=$((waited + 1))
        sleep 0.1
    done
}

# new_key NAME [BITS [HOST [KTY]]]: a key or a new version of it; prints the version
new_key() {
    kid=$(ctl POST /keys "{\"vault\":\"${3:-$vault}\",\"name\":\"$1\",\"kty\":\"${4:-RSA}\",\"key_size\":${2:-2048}}")
    printf '%s\n' "$kid" | tr -d ' \t\n' | sed -n 's/.*"kid":"[^"]*\/\([0-9a-f]*\)".*/\1/p'
}

# patch_key NAME VERSION JSON-MEMBERS
patch_key() {
    ctl PATCH /keys "{\"vault\":\"$vault\",\"name\":\"$1\",\"version\":\"$2\",$3}" >/dev/null
}

# pem_of NAME VERSION [HOST]
pem_of() {
    ctl GET "/keys/pem?vault=${3:-$vault}&name=$1&version=$2"
}

# configure 'key = value': replaces the setting in the library's configuration
configure() {
    grep -v "^${1%% *} *=" "$config" >"$config.new" || :
    printf '%s\n' "$1" >>"$config.new"
    chmod 600 "$config.new"
    mv "$config.new" "$config"
}

# begin: the vault, and all that a server needs
begin() {
    start_vault
}

# system_path PATH: as the server's system has it; the file may be yet to come
system_path() {
    printf '%s' "$1"
}

# ekmhost DATA [OPTION]... [SCRIPT]
ekmhost() {
    data=$1
    shift
    timeout "${run_timeout_s:-100}" "$build/ekmhost" --data "$data" "$@"
}

# run EXIT [ekmhost options]: T-SQL from standard input is one run of the server; output in $folder/out and err
run() {
    wanted=$1
    shift
    cat >"$folder/script.sql"
    host "$server" "$@" "$(system_path "$folder/script.sql")"
}

# host DATA [OPTION]... [SCRIPT]: expects the exit code $wanted
host() {
    data=$1
    shift
    got=0
    ekmhost "$data" --trace "$@" >"$folder/out" 2>"$folder/err" || got=$?
    [ "$got" = "$wanted" ] || fail "ekmhost ended with $got instead of $wanted"
    grep -q '^ekmhost: ' "$folder/err" || fail 'ekmhost did not come to its end'
    if grep -q "$(printf '\r')" "$folder/out"; then
        fail 'carriage returns in the output'
    fi
    if grep '^conformance: ' "$folder/err"; then
        fail 'the library broke a rule of the interface'
    fi
}

# sql: a run without an error
sql() {
    run 0
}

has() {
    grep -q -e "$1" "$folder/out" || fail "no '$1' in the output"
}

lacks() {
    if grep -q -e "$1" "$folder/out"; then
        fail "'$1' in the output"
    fi
}

# msg NUMBER [CODE]: this error, with this code of the provider in the line after it
msg() {
    grep -A1 "^Msg $1, " "$folder/out" >"$folder/found" || fail "no Msg $1"
    [ -z "${2-}" ] || grep -q "Provider error code: $2\." "$folder/found" || fail "Msg $1 without code $2"
}

# calls FUNCTION COUNT: successful ones of the last run, size queries not counted
calls() {
    count=$(grep -c "^trace: $1 = 0 " "$folder/err" || :)
    [ "$count" = "$2" ] || fail "$count successful calls of $1 instead of $2"
}

logged() {
    grep -q -e "$1" "$server/errorlog" || fail "no '$1' in the errorlog"
}

# value: the last field of the last row of the last result
value() {
    sed -n '/^$/d; /^(/d; /^--/d; p' "$folder/out" | tail -n 1 | sed 's/.* //'
}

# thumbprint_of KEY: of an asymmetric key of master, hex without 0x
thumbprint_of() {
    NAME=$1 sql <<'SQL'
SELECT thumbprint FROM sys.asymmetric_keys WHERE name = '$(NAME)';
SQL
    value | sed 's/^0x//'
}

# map: all entries; nobody but the server may read them
map() {
    [ "$(stat -c %a "$keymap")" = 600 ] || fail 'rights of the map'
    cat "$keymap"
}

map_count() {
    map | wc -l
}

# add_entry VAULT-URL THUMBPRINT KEYURI
add_entry() {
    printf '%s\t%s\t%s\n' "$@" >>"$keymap"
    chmod 600 "$keymap"
}

forget_map() {
    rm -f "$keymap"
}

# map_has THUMBPRINT KEY/VERSION
map_has() {
    grep -i "	$1	" "$keymap" | grep -q "/keys/$2\$" || fail "the map has no $1 for $2"
}

enable_ekm() {
    sql <<'SQL'
EXEC sp_configure 'show advanced options', 1;
GO
RECONFIGURE;
GO
EXEC sp_configure 'EKM provider enabled', 1;
GO
RECONFIGURE;
GO
SQL
}

# R48, R52: options, provider, credential, mapped to the administrator
set_up_provider() {
    enable_ekm
    sql <<'SQL'
CREATE CRYPTOGRAPHIC PROVIDER AkvEkm FROM FILE = '$(LIBRARY)';
GO
CREATE CREDENTIAL tde_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL tde_cred;
GO
SQL
}

# R54, R55: the key $KEY as TDE_Key, its login with a credential of its own: one serves one login
set_up_key() {
    sql <<'SQL'
CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = '$(KEY)', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login FROM ASYMMETRIC KEY TDE_Key;
CREATE CREDENTIAL login_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN TDE_Login ADD CREDENTIAL login_cred;
GO
SQL
}

# R56: the database DemoTde with a table, encrypted
set_up_database() {
    sql <<'SQL'
CREATE DATABASE DemoTde;
GO
USE DemoTde;
CREATE TABLE people (id int, name varchar(40));
INSERT INTO people VALUES (1, 'Ada Lovelace'), (2, 'Grace Hopper');
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256
ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
GO
ALTER DATABASE DemoTde SET ENCRYPTION ON;
GO
SQL
}

# All of this under the first version of TdeKey0, which is $version.
set_up() {
    begin
    version=$(new_key TdeKey0)
    set_up_provider
    set_up_key
    set_up_database
}

# The rows of DemoTde can be read.
database_opens() {
    sql <<'SQL'
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SQL
    has '^Ada Lovelace$'
}

# use_secret SECRET: from now on, in both credentials
use_secret() {
    NEW_SECRET=$1
    export NEW_SECRET
    # Without the provider: the login's own credential is not asked for that.
    sql <<'SQL'
ALTER CREDENTIAL tde_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(NEW_SECRET)';
ALTER CREDENTIAL login_cred WITH IDENTITY = '$(VAULT)', SECRET = '$(NEW_SECRET)';
SQL
}

# opens SECRET PATTERN: the database opens by it, the log's next OpenSession has the pattern, and nothing is refused
opens() {
    use_secret "$1"
    : >"$log"
    reset_counters
    database_opens
    grep ' OpenSession ' "$log" | grep -q -e "$2" || { cat "$log" >&2; fail "no OpenSession with $2"; }
    if grep -q ' error ' "$log"; then
        cat "$log" >&2
        fail "an error with $1"
    fi
    expect_counter leaked_secrets 0
}

# refused SECRET CODE
refused() {
    use_secret "$1"
    : >"$log"
    run 1 <<'SQL'
SELECT COUNT(*) FROM sys.dm_cryptographic_provider_keys(65536);
SQL
    msg 33028 "$2"
    expect_counter leaked_secrets 0
}

if [ -n "${2-}" ]; then
    . "$(dirname -- "$0")/../windows/windows.sh"
fi
