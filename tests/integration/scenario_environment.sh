#!/bin/sh
# What the environment of the process does to the library, and that the log says so: a proxy, its exceptions, and what
# libcurl, OpenSSL and the resolver read by themselves.
. "$(dirname -- "$0")/scenario.sh"

proxy_pid=
stop_proxy() {
    [ -z "$proxy_pid" ] || kill "$proxy_pid" 2>/dev/null || :
    proxy_pid=
}
trap 'stop_proxy; finish' EXIT

# open_database EXIT
open_database() {
    : >"$log"
    run "$1" <<'SQL'
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SQL
}

in_log() {
    grep -q -- "$1" "$log" || fail "no '$1' in: $(grep -v ' debug ' "$log")"
}

set_up
port=$(sed -n 's/^connect_to *= *.*:\([0-9]*\) *$/\1/p' "$config")
"$build/connect_proxy" "$port" >"$folder/proxy.out" &
proxy_pid=$!
until grep -q '^ready' "$folder/proxy.out"; do sleep 0.1; done
relay=$(sed -n 's/^ready //p' "$folder/proxy.out")

# Through a proxy of the environment, without connect_to. Its password is nowhere shown.
grep -v '^connect_to' "$config" >"$config.new"
chmod 600 "$config.new"
mv "$config.new" "$config"
export HTTPS_PROXY="http://dba:Hunter2Hunter2@127.0.0.1:$relay"
open_database 0
in_log "Initialize text=\"using a proxy of the environment\" from=\"HTTPS_PROXY\" proxy=\"http://\*\*\*@127.0.0.1:$relay\""
grep -q "CONNECT $vault:443" "$folder/proxy.out" || fail 'the proxy was not used'

# The vault's firewall refuses the proxy's address: the line names it.
ctl POST "/vaults/$vault/firewall" '{"deny":"firewall"}' >/dev/null
open_database 1
in_log "code=\"5011\".* proxy=\"http://\*\*\*@127.0.0.1:$relay\" peer=\"127.0.0.1:$relay\""
ctl POST "/vaults/$vault/firewall" '{"deny":"none"}' >/dev/null || ctl DELETE "/vaults/$vault/firewall" >/dev/null

# Exceptions as people write them are understood; what can match nothing is said.
printf '%s\n' "connect_to = ::127.0.0.1:$port" >>"$config"
: >"$folder/proxy.out"
export NO_PROXY="*.vault.azure.net;login.microsoftonline.com:443,con*oso"
open_database 0
in_log ' error .*from="NO_PROXY" entries="con\*oso"'
[ ! -s "$folder/proxy.out" ] || fail 'the proxy was used'
unset NO_PROXY

# A proxy that is not there.
stop_proxy
configure 'call_timeout_ms = 2000'
open_database 1
in_log "code=\"5013\".* proxy=\"http://\*\*\*@127.0.0.1:$relay\""
configure 'call_timeout_ms = 30000'
if grep -rq Hunter2Hunter2 "$log" "$server"; then
    fail 'the password is shown'
fi
unset HTTPS_PROXY

# Keys of TLS are never written. Certificates come from no variable. What others read is said.
sed 's/^ca_file/#&/' "$config" >"$config.new"
cp "$config" "$folder/kept.conf"
export SSLKEYLOGFILE="$folder/keys.log"
open_database 0
in_log 'environment="SSLKEYLOGFILE"'
[ ! -s "$folder/keys.log" ] || fail 'TLS keys were written'
unset SSLKEYLOGFILE
chmod 600 "$config.new"
mv "$config.new" "$config"
export SSL_CERT_FILE="$folder/vault/ca.pem"
open_database 1
in_log 'environment="SSL_CERT_FILE".*not used'
in_log 'code="3106"'
unset SSL_CERT_FILE
cp "$folder/kept.conf" "$config"
export OPENSSL_CONF=/dev/null RES_OPTIONS=timeout:1 LOCALDOMAIN=contoso.local
open_database 0
in_log 'environment="OPENSSL_CONF" value="/dev/null"'
in_log 'environment="RES_OPTIONS" value="timeout:1"'
in_log 'environment="LOCALDOMAIN" value="contoso.local"'
unset OPENSSL_CONF RES_OPTIONS LOCALDOMAIN

# A file of authorities is used whole: a damaged one before the right one is named by its line.
{
    printf -- '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
    cat "$folder/vault/ca.pem"
} >"$folder/bundle.pem"
configure "ca_file = $folder/bundle.pem"
open_database 0
in_log "bundle.pem:1: this certificate cannot be read and is left out"

# OpenSSL without a provider, as a broken FIPS set-up leaves it, is no want of memory.
cat >"$folder/openssl.cnf" <<'CNF'
openssl_conf = init
[init]
providers = providers
[providers]
fips = fips
base = base
[fips]
module = /nowhere/fips.so
activate = 1
[base]
activate = 1
CNF
OPENSSL_CONF=$folder/openssl.cnf open_database 1
in_log 'code="5003".*OpenSSL makes no TLS context'
