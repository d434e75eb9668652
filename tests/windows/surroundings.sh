#!/bin/sh
# What Windows itself contributes: the machine's roots, the account's proxy, the rights of configuration and ca_file, and the
# event log with the connector's level.
. "$(dirname -- "$0")/../integration/scenario.sh"

connections='HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings\Connections'
source_key='HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\akv-ekm'
ca_pem=$folder/vault/ca.pem

# Wine 10 keeps what is added to the machine's ROOT store, but shows it to no other process: there the account's own part of the
# store is used, which the account sees together with the machine's.
root_of=machine root_key=HKLM
case $(wine --version) in
wine-[1-8].*) ;;
*) root_of=account root_key=HKCU ;;
esac

# Wine deletes none of a store's certificates for good, so they go where it keeps them.
forget_root() {
    print=$(openssl x509 -in "$ca_pem" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g')
    wine reg delete "$root_key\\Software\\Microsoft\\SystemCertificates\\Root\\Certificates\\$print" /f >/dev/null
}

restore() {
    status=$?
    set +e
    forget_root 2>/dev/null || :
    wine reg delete "$connections" /v DefaultConnectionSettings /f >/dev/null 2>&1 || :
    (exit "$status")
    finish
}

# without SETTING: the configuration lacks it
without() {
    grep -v "^$1 *=" "$config" >"$config.new"
    chmod 600 "$config.new"
    mv "$config.new" "$config"
}

# opens EXIT: the vault's key by a new asymmetric key, which is dropped again
opens() {
    run "$1" <<'SQL'
CREATE ASYMMETRIC KEY Probe FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
DROP ASYMMETRIC KEY Probe;
SQL
}

# fails CODE
fails() {
    opens 1
    grep -q "Provider error code: $1\." "$folder/out" || fail "not code $1"
}

# account_proxy SERVER: the fixed proxy of the account, as the control panel stores it: a head, two texts with their lengths
account_proxy() {
    text=$(printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n')
    wine reg add "$connections" /v DefaultConnectionSettings /t REG_BINARY /f \
        /d "46000000""01000000""03000000""$(printf '%02x000000' ${#1})$text""00000000""00000000" >/dev/null
}

# events: how many were reported in the last run; Wine shows them on standard error
events() {
    grep -c 'eventlog:ReportEventW L' "$folder/err" || :
}

begin
trap restore EXIT
new_key TdeKey0 >/dev/null
set_up_provider
opens 0

# Trust: the machine's roots, and ca_file beside them.
without ca_file
fails 3106
wine "$windows/root_store.exe" "$root_of" "$(system_path "$ca_pem")"
opens 0
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=another root' -keyout "$folder/other.key" \
    -out "$folder/other.pem" 2>/dev/null
configure "ca_file = $(system_path "$folder/other.pem")"
opens 0
forget_root
fails 3106
configure "ca_file = $(system_path "$ca_pem")"
opens 0

# Proxy: the account's, unless the configuration says otherwise. One that does not answer is tried again to the end of the call.
no_way_out() {
    configure 'call_timeout_ms = 4000'
    fails 5013
    without call_timeout_ms
}
account_proxy 'https=127.0.0.1:1'
no_way_out
configure 'proxy = system'
no_way_out
configure 'proxy ='
opens 0
configure 'proxy = http://127.0.0.1:1'
no_way_out
configure 'no_proxy = vault.azure.net, login.microsoftonline.com'
opens 0
without no_proxy
without proxy
wine reg delete "$connections" /v DefaultConnectionSettings /f >/dev/null
opens 0

# Rights: what everybody may write is refused, and the event log says why.
export WINEDEBUG=-all,err+eventlog,trace+eventlog
wine reg delete "$source_key" /f >/dev/null 2>&1 || : # another test's
chmod 666 "$config"
fails 5003
grep 'ReportEventW' "$folder/err" | grep -q 'akvekm.conf' || fail 'no event names the configuration'
chmod 600 "$config"
chmod 666 "$ca_pem"
fails 5003
grep 'ReportEventW' "$folder/err" | grep -q 'ca.pem' || fail 'no event names ca_file'
chmod 600 "$ca_pem"
opens 0
[ "$(events)" = 0 ] || fail "$(events) events of what went well"

# The event log: one event a failure; the connector's level decides; the source names the DLL for its messages.
wine reg query "$source_key" /v EventMessageFile | grep -qF "$LIBRARY" || fail 'the event source does not name the DLL'
missing() {
    run 1 <<'SQL'
CREATE ASYMMETRIC KEY Probe FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'NoSuchKey', CREATION_DISPOSITION = OPEN_EXISTING;
SQL
}
# level NUMBER LEAST MOST: of events
level() {
    wine reg add "$branch\\Log" /v Level /t REG_DWORD /d "$1" /f >/dev/null
    missing
    [ "$(events)" -ge "$2" ] && [ "$(events)" -le "$3" ] || fail "level $1: $(events) events"
}
missing
[ "$(events)" = 1 ] || fail "$(events) events of one failure"
grep 'ReportEventW' "$folder/err" | grep -q '3112' || fail 'the event lacks the code'
level 1 1 1
level 2 0 0
level 0 2 50
