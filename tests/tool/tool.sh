# Helpers of the tool's tests, sourced with the build folder in $1: a vaultsim of one's own, and akv-ekm against it.
# shellcheck shell=sh
set -eu
LC_ALL=C
export LC_ALL
build=$(CDPATH='' cd -- "$1" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/akvekm-tool.XXXXXX")
vault_pid=
other_pid=
host=contoso-vault.vault.azure.net
client=11111111222243338444555555555555
secret='Sim~Secret-0.with_hyphens-1'
AKVEKM_CONFIG=$folder/vault/akv-ekm.conf
export AKVEKM_CONFIG
unset https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
# As whoever runs the test, also where there is an account of SQL Server.
user=$(id -un)

finish() {
    status=$?
    trap - EXIT HUP INT TERM
    set +e
    for pid in $vault_pid $other_pid; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    rm -rf "$folder"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    [ ! -f "$folder/out" ] || sed 's/^/    /' "$folder/out" >&2
    exit 1
}

wait_for() { # FILE WORDS
    waited=0
    until grep -q "$2" "$1"; do
        [ "$waited" -lt 300 ] || fail "no \"$2\" in $1"
        waited=$((waited + 1))
        sleep 0.1
    done
}

ctl() {
    "$build/vaultsim" ctl --state "$folder/vault" "$@" >"$folder/ctl" || fail "vaultsim ctl $*: $(cat "$folder/ctl")"
}

start_vault() {
    : >"$folder/ready"
    "$build/vaultsim" --state "$folder/vault" >"$folder/ready" 2>&1 &
    vault_pid=$!
    wait_for "$folder/ready" '^vaultsim: ready'
    ctl POST /keys "{\"vault\":\"$host\",\"name\":\"TdeKey0\",\"kty\":\"RSA\",\"key_size\":2048,\"purge_protection\":true}"
    cp "$AKVEKM_CONFIG" "$folder/good.conf"
    printf 'try_timeout_ms = 2000\ncall_timeout_ms = 4000\n' >>"$folder/good.conf"
    cp "$folder/good.conf" "$AKVEKM_CONFIG"
}

# The configuration with lines of its own in the place of those with the same key; `KEY=` alone takes the key out.
configure() {
    cp "$folder/good.conf" "$AKVEKM_CONFIG"
    for setting in "$@"; do
        grep -v "^${setting%%=*} *=" "$AKVEKM_CONFIG" >"$folder/conf" || true
        [ -z "${setting#*=}" ] || printf '%s\n' "$setting" >>"$folder/conf"
        cat "$folder/conf" >"$AKVEKM_CONFIG"
    done
}

# tool STATUS COMMAND ...: SECRET of the client on standard input; output and errors are in $folder/out.
tool() {
    wanted=$1
    shift
    got=0
    printf '%s\n' "${given_secret-$client$secret}" | "$build/akv-ekm" "$@" >"$folder/out" 2>&1 || got=$?
    ! grep -qF "$secret" "$folder/out" || fail "the secret is in the output of $*"
    [ "$got" = "$wanted" ] || fail "akv-ekm $*: status $got, not $wanted"
}

says() { # PATTERN
    grep -qE -- "$1" "$folder/out" || fail "no \"$1\" was said"
}
