#!/bin/sh
# deb.sh CHROOT DEB HIGHER-DEB BUILD: the Debian package in a clean system: installed by one command, the demo with the installed
# library, an upgrade while a server runs, removal, purge. The map stays. Needs root.
[ "${in_namespace:-}" = yes ] || in_namespace=yes exec unshare -m sh "$0" "$@"
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/root.sh"
root_begin "deb on $(basename "$1")" "$1" "$(CDPATH='' cd -- "$4" && pwd)"
cp "$2" "$work/package.deb"
cp "$3" "$work/higher.deb"
former=$(dpkg-deb --fsys-tarfile "$2" | tar -t | sed -n 's|.*/\([^/]*\)/libakvekm.so$|\1|p')
newer=$(dpkg-deb --fsys-tarfile "$3" | tar -t | sed -n 's|.*/\([^/]*\)/libakvekm.so$|\1|p')

in_root dpkg -i "$work/package.deb" >"$work/log" 2>&1 || fail 'dpkg -i'
list 'after installation'
needs_glibc_alone /opt/akv-ekm/current/libakvekm.so
needs_glibc_alone /usr/bin/akv-ekm
in_root akv-ekm version >"$work/log" || fail 'akv-ekm version'
grep '^inside ' "$work/log" || fail 'akv-ekm version does not say what is inside'
[ "$(in_root stat -c '%U:%G %a' /var/opt/mssql/akv-ekm)" = 'mssql:mssql 700' ] || fail 'rights of the folder of the map'
in_root sh -c '! find /opt/akv-ekm /etc/logrotate.d/akv-ekm -perm /022 ! -type l | grep .' || fail 'others may write'
demo_in_root /opt/akv-ekm/current/libakvekm.so

# An upgrade while a server runs that was registered with the path of its version.
echo 'vault	AA	https://vault/keys/k/v' >"$root/var/opt/mssql/akv-ekm/keymap"
before=$(in_root stat -c %i "/opt/akv-ekm/$former/libakvekm.so")
storm_begin "/opt/akv-ekm/$former/libakvekm.so" 12
in_root dpkg -i "$work/higher.deb" >"$work/log" 2>&1 || fail 'the upgrade'
list 'after the upgrade'
[ "$(in_root readlink /opt/akv-ekm/current)" = "$newer" ] || fail "current is not $newer"
[ "$(in_root stat -c %i "/opt/akv-ekm/$former/libakvekm.so")" = "$before" ] || fail 'the library in use is another file'
storm_end
opens 'the upgrade'
demo_in_root /opt/akv-ekm/current/libakvekm.so

in_root dpkg -r akv-ekm >"$work/log" 2>&1 || fail 'removal'
list 'after removal'
[ ! -e "$root/opt/akv-ekm" ] || fail 'libraries stay'
in_root dpkg -P akv-ekm >"$work/log" 2>&1 || fail 'purge'
list 'after purge'
[ ! -e "$root/etc/logrotate.d/akv-ekm" ] || fail 'a configuration file stays'
grep -q keys/k/v "$root/var/opt/mssql/akv-ekm/keymap" || fail 'the map is gone'
echo "$name: passed"
