# Helpers of the cases under Wine, sourced with the Windows build folder in $1 and the native one in $2: those of
# scenario.sh with the native vaultsim, but the server is ekmhost.exe with akvekm.dll, and the map is the registry of the
# prefix in WINEPREFIX. Cases that share a prefix must not run at the same time: the map is one for the whole prefix.
# shellcheck shell=sh
windows=$(CDPATH='' cd -- "$1" && pwd)
cases=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
set -- "$2"
. "$cases/../integration/scenario.sh"

export LC_ALL=C.UTF-8
native_config=$folder/vault/akv-ekm.conf
config=$folder/akvekm.conf
provider_key='HKLM\SOFTWARE\Microsoft\SQL Server Cryptographic Provider'
branch="$provider_key\\Azure Key Vault"

# wine PROGRAM [ARGUMENT]...: by the same script as ctest's programs, whose server must be up
wine_limit=200
wine() {
    timeout "$wine_limit" sh "$cases/../../cmake/windows/wine.sh" "$windows" "$@" </dev/null
}

# windows_path PATH: the file may be yet to come
windows_path() {
    printf 'Z:%s' "$1" | tr / '\\'
}

# rights none|read|full: of everybody to the whole branch
rights() {
    wine "$windows/registry_acl.exe" "${provider_key#HKLM?}" "$1"
}

# R43: the empty branch, made by hand as the administrator does
make_branch() {
    drop_branch
    wine reg add "$provider_key" /f >/dev/null || fail 'the registry key cannot be made'
}

drop_branch() {
    rights full 2>/dev/null || : # a case may have ended while it had taken them away
    wine reg delete "$provider_key" /f >/dev/null 2>&1 || :
}

# query ARGUMENT...: what reg query prints, without carriage returns. On a machine at its limits Wine's reg was once seen to
# print nothing for an entry that was there, long after its writer had ended: silence is asked again, and reported.
query() {
    for try in 1 2 3; do
        wine reg query "$@" >"$folder/query" 2>"$folder/query.err" && got=0 || got=$?
        [ ! -s "$folder/query" ] || break
        echo "$scenario: reg query $*: exit code $got, no output, try $try: $(cat "$folder/query.err")" >&2
    done
    tr -d '\r' <"$folder/query"
}

# map: all of the branch but the tenants beside the map, without the lead and carriage returns
map() {
    query "$provider_key" /s |
        sed -e 's/^HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\//' -e '/Provider\\akv-ekm/,/^$/d'
}

# map_entry VAULT-URL THUMBPRINT [KEY/VERSION]: prints the KeyUri, which must be this one
map_entry() {
    uri=$(query "$branch\\$1\\$2" /v KeyUri | sed -n 's/^ *KeyUri  *REG_SZ  *//p')
    [ -n "$uri" ] || { map >&2; fail "the branch has no $1\\$2"; }
    [ -z "${3-}" ] || [ "$uri" = "https://$vault/keys/$3" ] || fail "$2 leads to $uri, not to $3"
    printf '%s\n' "$uri"
}

# add_entry VAULT-URL THUMBPRINT KEYURI
add_entry() {
    wine reg add "$branch\\$1\\$2" /v KeyUri /t REG_SZ /d "$3" /f >/dev/null
}

# As scenario.sh's, over the registry.
map_has() {
    map_entry "https://$vault" "$1" "$2" >/dev/null
}

map_count() {
    map | grep -c '^ *KeyUri ' || :
}

# write_config: the native configuration with this system's paths
write_config() {
    {
        grep '^connect_to *=' "$native_config"
        printf 'ca_file = %s\n' "$(windows_path "$folder/vault/ca.pem")"
        printf 'log_file = %s\n' "$(windows_path "$folder/vault/akv-ekm.log")"
        printf 'log_level = debug\n'
    } >"$config"
    chmod 600 "$config"
}

begin_windows() {
    make_branch
    start_vault
    write_config
    AKVEKM_CONFIG=$(windows_path "$config")
    LIBRARY=$(windows_path "$windows/akvekm.dll")
    BACKUPS=$(windows_path "$folder")
}

# As scenario.sh's, with the server under Wine.
run() {
    wanted=$1
    shift
    cat >"$folder/script.sql"
    host "$server" "$@" "$(windows_path "$folder/script.sql")"
}

# host DATA [OPTION]... [SCRIPT]: expects the exit code $wanted
host() {
    data=$(windows_path "$1")
    shift
    got=0
    wine "$windows/ekmhost.exe" --data "$data" --trace "$@" >"$folder/out" 2>"$folder/err" || got=$?
    [ "$got" = "$wanted" ] || fail "ekmhost.exe ended with $got instead of $wanted"
    grep -q '^ekmhost: ' "$folder/err" || fail 'ekmhost.exe did not come to its end'
    if grep -q "$(printf '\r')" "$folder/out"; then
        fail 'carriage returns in the output'
    fi
    if grep '^conformance: ' "$folder/err"; then
        fail 'the library broke a rule of the interface'
    fi
}
