#!/bin/sh
# five_minutes.sh CHROOT DEB HIGHER-DEB BUILD: what an administrator types from the package to an encrypted database that is ONLINE
# after a restart, in a clean system, counted and timed; and the files and rights of docs/release.md after installation, upgrade,
# removal and purge. Needs root.
[ "${in_namespace:-}" = yes ] || in_namespace=yes exec unshare -m sh "$0" "$@"
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/root.sh"
root_begin "five minutes on $(basename "$1")" "$1" "$(CDPATH='' cd -- "$4" && pwd)"
cp "$2" "$work/package.deb"
cp "$3" "$work/higher.deb"
page=$here/../../docs/release.md
commands=0

# What is not the administrator's: Azure's stand-in with its authority, and the one for SQL Server, run as mssql.
mkdir -p "$work/azure"
"$rig/vaultsim" --state "$work/azure" >"$work/ready" 2>&1 &
vault_pid=$!
for _ in $(seq 300); do
    ! grep -q '^vaultsim: ready' "$work/ready" || break
    sleep 0.1
done
"$rig/vaultsim" ctl --state "$work/azure" POST /keys \
    '{"vault":"contoso-vault.vault.azure.net","name":"TdeKey0","kty":"RSA","key_size":2048,"purge_protection":true}' >/dev/null ||
    fail 'no key at the vault'
cp "$work/azure/ca.pem" "$root/etc/stand-in.pem"
{
    grep '^connect_to' "$work/azure/akv-ekm.conf"
    echo 'ca_file = /etc/stand-in.pem'
} >"$root/etc/akv-ekm.conf"
chmod 644 "$root/etc/stand-in.pem" "$root/etc/akv-ekm.conf"
mkdir -p "$root/srv/rig"
cp -r "$rig/ekmhost.real" "$rig/lib" "$root/srv/rig"
sqlcmd() {
    chroot --userspec=mssql:mssql "$root" env LD_LIBRARY_PATH=/srv/rig/lib /srv/rig/ekmhost.real --data /var/opt/mssql/server "$@"
}
printf 'CREATE DATABASE Sales;\n' | sqlcmd >"$work/log" 2>&1 || fail 'the stand-in for SQL Server does not run'
secret='11111111222243338444555555555555Sim~Secret-0.with_hyphens-1'

# typed COMMAND...: one that counts
typed() {
    commands=$((commands + 1))
    began_ms=$(date +%s%3N)
    "$@" >"$work/log" 2>&1 || fail "command $commands: $*"
    printf '%s: %d. %-62s %6d ms\n' "$name" "$commands" "$said" $(($(date +%s%3N) - began_ms))
}
started_ms=$(date +%s%3N)
said='dpkg -i akv-ekm_VERSION-N_amd64.deb'
typed in_root dpkg -i "$work/package.deb"
said='akv-ekm setup --identity contoso-vault --key TdeKey0 >setup.sql'
typed in_root sh -c 'akv-ekm setup --identity contoso-vault --key TdeKey0 >/root/setup.sql'
said='akv-ekm doctor --identity contoso-vault --key TdeKey0'
doctor() {
    printf '%s\n' "$secret" | in_root akv-ekm doctor --identity contoso-vault --key TdeKey0
}
typed doctor
grep '^ready: ' "$work/log" || fail 'doctor does not say that all is ready'
sed -i -e "s/<client ID without hyphens><client secret>/$secret/" -e 's/<your login>/CONTOSO\\dba/' -e 's/<database>/Sales/' \
    "$root/root/setup.sql" # the editor
said='sqlcmd -i setup.sql, with the places in <> filled in'
run_script() {
    sqlcmd <"$root/root/setup.sql"
}
typed run_script
grep -q ', 0 errors$' "$work/log" || fail 'setup.sql has errors'
said='a restart, and: SELECT name, state_desc, is_encrypted ...'
ask() {
    printf 'SELECT name, state_desc, is_encrypted FROM sys.databases;\n' | sqlcmd
}
typed ask
grep -E '^Sales +ONLINE +1' "$work/log" || fail 'Sales is not ONLINE and encrypted'
echo "$name: $commands commands, $((($(date +%s%3N) - started_ms + 500) / 1000)) s from the package to ONLINE"
[ "$commands" -le 5 ] && [ $(($(date +%s%3N) - started_ms)) -lt 300000 ] || fail 'that is more than five minutes, or five commands'

# The table of docs/release.md: path and rights, VERSION-N being this one's.
version=$(in_root readlink /opt/akv-ekm/current)
table() {
    sed -n '/^| On Linux |/,/^$/p' "$page" | sed -n "s/^| \`\([^\`]*\)\` | \([^|]*\) |.*/\1 \2/p" | sed "s/VERSION-N/$1/"
}
[ "$(table "$version" | wc -l)" -ge 9 ] || fail 'docs/release.md has no table of files'
# as_listed WHEN VERSION: each is there with these rights, and the package has no other file.
as_listed() {
    table "$2" >"$work/table"
    while read -r path owner mode; do
        [ "$(in_root stat -c '%U:%G %a' "$path" 2>/dev/null)" = "$owner $mode" ] ||
            fail "$1: $path is '$(in_root stat -c '%U:%G %a' "$path" 2>&1)', not '$owner $mode'"
    done <"$work/table"
    in_root dpkg -L akv-ekm | while read -r file; do
        [ -d "$root$file" ] || grep -q "^$file " "$work/table" ||
            case $file in /usr/share/doc/akv-ekm/*) ;; *) fail "$1: docs/release.md does not list $file" ;; esac
    done
    echo "$name: $1: $(wc -l <"$work/table") paths as docs/release.md lists them"
}
as_listed 'after installation' "$version"
in_root dpkg -i "$work/higher.deb" >"$work/log" 2>&1 || fail 'the upgrade'
as_listed 'after the upgrade' "$(in_root readlink /opt/akv-ekm/current)"
[ -f "$root/opt/akv-ekm/$version/libakvekm.so" ] || fail 'the former version is gone'
in_root dpkg -r akv-ekm >"$work/log" 2>&1 || fail 'removal'
# stays WHEN PATTERN: of the table nothing else is there
stays() {
    left=$(table "$version" | while read -r path _; do
        [ ! -e "$root$path" ] || echo "$path"
    done)
    [ "$left" = "$2" ] || fail "$1: there are '$left', not '$2'"
    echo "$name: $1: there stay" $left
}
stays 'after removal' "$(printf '%s\n' /etc/logrotate.d/akv-ekm /var/opt/mssql/akv-ekm)"
in_root dpkg -P akv-ekm >"$work/log" 2>&1 || fail 'purge'
stays 'after purge' /var/opt/mssql/akv-ekm
[ -s "$root/var/opt/mssql/akv-ekm/keymap" ] || fail 'the map is gone'
echo "$name: passed"
