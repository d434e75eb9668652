#!/bin/sh
# rpm.sh CHROOT RPM HIGHER-RPM BUILD: the rpm, by rpm with a database of its own, in a clean system (of Debian: no other can be had
# here): installed, the demo, an upgrade while a server runs, removal. The map stays. Needs root.
[ "${in_namespace:-}" = yes ] || in_namespace=yes exec unshare -m sh "$0" "$@"
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/root.sh"
root_begin "rpm over $(basename "$1")" "$1" "$(CDPATH='' cd -- "$4" && pwd)"
former=$(rpm -qlp "$2" 2>/dev/null | sed -n 's|.*/\([^/]*\)/libakvekm.so$|\1|p')
newer=$(rpm -qlp "$3" 2>/dev/null | sed -n 's|.*/\([^/]*\)/libakvekm.so$|\1|p')
# Debian's libraries are in no database of rpm, hence --nodeps; what is needed was looked at.
rpm_there() {
    rpm --root "$root" --dbpath /var/lib/akvekm-rpm --nodeps "$@"
}

rpm -qp --requires "$2" 2>/dev/null | grep -E '\.so' | grep -vE '^lib(c|pthread|dl)\.so' | grep . && fail 'needs more than glibc'
rpm_there -i "$2" >"$work/log" 2>&1 || fail 'rpm -i'
list 'after installation'
rpm_there -V akv-ekm || fail 'rpm -V'
needs_glibc_alone /opt/akv-ekm/current/libakvekm.so
needs_glibc_alone /usr/bin/akv-ekm
in_root akv-ekm version >"$work/log" || fail 'akv-ekm version'
grep '^inside ' "$work/log" || fail 'akv-ekm version does not say what is inside'
demo_in_root /opt/akv-ekm/current/libakvekm.so

echo 'vault	AA	https://vault/keys/k/v' >"$root/var/opt/mssql/akv-ekm/keymap"
before=$(in_root stat -c %i "/opt/akv-ekm/$former/libakvekm.so")
storm_begin "/opt/akv-ekm/$former/libakvekm.so" 12
rpm_there -U "$3" >"$work/log" 2>&1 || fail 'the upgrade'
list 'after the upgrade'
[ "$(basename "$(in_root readlink /opt/akv-ekm/current)")" = "$newer" ] || fail "current is not $newer"
[ "$(in_root stat -c %i "/opt/akv-ekm/$former/libakvekm.so")" = "$before" ] || fail 'the library in use is another file'
storm_end
opens 'the upgrade'

rpm_there -e akv-ekm >"$work/log" 2>&1 || fail 'removal'
list 'after removal'
[ ! -e "$root/opt/akv-ekm" ] || fail 'libraries stay'
grep -q keys/k/v "$root/var/opt/mssql/akv-ekm/keymap" || fail 'the map is gone'
echo "$name: passed"
