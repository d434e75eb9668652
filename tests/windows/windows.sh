# Helpers of the cases under Wine, sourced by scenario.sh with the Windows build folder in $2: vaultsim is the native one, the
# server ekmhost.exe with akvekm.dll, and the map the registry of the prefix in WINEPREFIX. Cases that share a prefix must not
# run at the same time: the map is one for the whole prefix.
# shellcheck shell=sh
windows=$(CDPATH='' cd -- "$2" && pwd)
cases=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
library=$windows/akvekm.dll
dummy=$windows/dummy_provider.dll

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

system_path() {
    printf 'Z:%s' "$1" | tr / '\\'
}

# rights none|read|full: of everybody to the whole branch
rights() {
    wine "$windows/registry_acl.exe" "${provider_key#HKLM?}" "$1"
}

# R43: the empty branch, made by hand as the administrator does
forget_map() {
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

add_entry() {
    wine reg add "$branch\\$1\\$2" /v KeyUri /t REG_SZ /d "$3" /f >/dev/null
}

map_has() {
    map_entry "https://$vault" "$1" "$2" >/dev/null
}

map_count() {
    map | grep -c '^ *KeyUri ' || :
}

# write_config: the native configuration with this system's paths
write_config() {
    {
        grep -e '^connect_to *=' -e '^hedge *=' "$native_config"
        printf 'ca_file = %s\n' "$(system_path "$folder/vault/ca.pem")"
        printf 'log_file = %s\n' "$(system_path "$folder/vault/akv-ekm.log")"
        printf 'log_level = debug\n'
    } >"$config"
    chmod 600 "$config"
}

begin() {
    forget_map
    start_vault
    write_config
    AKVEKM_CONFIG=$(system_path "$config")
    LIBRARY=$(system_path "$library")
    BACKUPS=$(system_path "$folder")
}

ekmhost() {
    data=$(system_path "$1")
    shift
    wine "$windows/ekmhost.exe" --data "$data" "$@"
}
