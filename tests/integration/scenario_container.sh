#!/bin/sh
# A container: no system log, the configuration on a volume as Kubernetes mounts it (links, mode 0777, read-only). It is
# read there; what is refused says why, in the default log file, else on standard error; a log that cannot be trusted is
# said to be unused. Needs root, to mount.
if [ -z "${AKVEKM_IN_NAMESPACE-}" ]; then
    if ! unshare -m true 2>/dev/null; then
        echo 'scenario_container: skipped: mounting needs root'
        exit 0
    fi
    AKVEKM_IN_NAMESPACE=1 exec unshare -m sh "$0" "$@"
fi
. "$(dirname -- "$0")/scenario.sh"

set_up
cp "$config" "$folder/wanted.conf"
mount -t tmpfs -o mode=755 none /var/opt
mount -t tmpfs -o mode=755 none /mnt
[ ! -e /dev/log ] || mount --bind /dev/null /dev/log
mkdir -p /var/opt/mssql/log
default_log=/var/opt/mssql/log/akv-ekm.log

# volume MODE [OPTIONS]: the configuration through two links, as a ConfigMap has it
volume() {
    umount "/mnt/cm" 2>/dev/null || :
    mkdir -p "/mnt/cm"
    mount -t tmpfs -o "mode=$1" none "/mnt/cm"
    mkdir -m 755 "/mnt/cm/..2026_11_28"
    cp "$folder/wanted.conf" "/mnt/cm/..2026_11_28/akv-ekm.conf"
    chmod 644 "/mnt/cm/..2026_11_28/akv-ekm.conf"
    ln -s ..2026_11_28 "/mnt/cm/..data"
    ln -s ..data/akv-ekm.conf "/mnt/cm/akv-ekm.conf"
    [ -z "${2-}" ] || mount -o "remount,$2" "/mnt/cm"
    export AKVEKM_CONFIG="/mnt/cm/akv-ekm.conf"
}

# open_database EXIT
open_database() {
    run "$1" <<'SQL'
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SQL
}

accepted() {
    rm -f "$default_log"
    open_database 0
    has '^Ada Lovelace$'
    [ ! -e "$default_log" ] || fail "the default log is written: $(cat "$default_log")"
}

# told FILE WORDS: the provider does not start, and this file says why, once
told() {
    rm -f "$default_log"
    open_database 1
    grep -q -- "$2" "$1" || fail "no '$2' in $1: $(cat "$1")"
}

volume 0755
accepted
volume 01777
accepted
volume 0777 ro
accepted

# Anybody could put another file in its place.
volume 0777
told "$default_log" "5003.*/cm may be written by everybody (mode 0777): chmod o-w, or mount it read-only"
[ "$(grep -c 5003 "$default_log")" = 1 ] || fail 'said more than once'
if grep -q 'code="5003"' "$folder/err"; then
    fail 'said on standard error as well'
fi

# Neither a system log nor the log's folder.
mv /var/opt/mssql/log /var/opt/mssql/gone
told "$folder/err" 'code="5003".*may be written by everybody'
mv /var/opt/mssql/gone /var/opt/mssql/log

volume 0755
chown -h 4242 "/mnt/cm/..data"
told "$default_log" 'data belongs to user 4242'
ln -sfn ..nowhere "/mnt/cm/..data"
told "$default_log" 'symbolic link leads to .*nowhere, which is not there'

# A bad value, and a certificate file that others may write.
volume 0755
sed -i '1i call_timeout_ms = soon' "/mnt/cm/..2026_11_28/akv-ekm.conf"
told "$default_log" 'akv-ekm.conf:1: call_timeout_ms'
volume 0755
ln -s "$folder/vault/ca.pem" "/mnt/cm/ca.pem"
sed -i "s|^ca_file *=.*|ca_file = /mnt/cm/ca.pem|" "/mnt/cm/..2026_11_28/akv-ekm.conf"
accepted
chmod 666 "$folder/vault/ca.pem"
: >"$log"
told "$log" '5003.*ca.pem may be written by everybody'
chmod 644 "$folder/vault/ca.pem"

# A log that is a pipe, a link, or that others may write is not used, and the engine runs on.
unused() {
    open_database 0
    has '^Ada Lovelace$'
    grep -q "log_file is not used\" file=\"$log\" note=\".*$1" "$folder/err" || fail "no '$1' on standard error"
    [ "$(grep -c 'log_file is not used' "$folder/err")" = 1 ] || fail 'said more than once'
}
volume 0755
rm -f "$log"
mkfifo "$log"
unused 'a pipe'
rm "$log"
ln -s "$folder/elsewhere" "$log"
unused 'symbolic link'
[ ! -e "$folder/elsewhere" ] || fail 'the target of the link was written'
rm "$log"
: >"$log"
chmod 666 "$log"
unused 'may be written by everybody'
chmod 640 "$log"
chown 4242 "$log"
unused 'belongs to user 4242'
chown 0 "$log"

# With no word of the environment the file of root comes first.
unset AKVEKM_CONFIG
mkdir -p "$folder/etc" /var/opt/mssql/akv-ekm
cp -a /etc/. "$folder/etc"
mount --bind "$folder/etc" /etc
cp "$folder/wanted.conf" /etc/akv-ekm.conf
echo 'call_timeout_ms = soon' >/var/opt/mssql/akv-ekm/akv-ekm.conf
chmod 600 /etc/akv-ekm.conf /var/opt/mssql/akv-ekm/akv-ekm.conf
accepted
grep -q '/var/opt/mssql/akv-ekm/akv-ekm.conf is not read: /etc/akv-ekm.conf comes first' "$log" || fail 'passed over in silence'
rm /etc/akv-ekm.conf
told "$default_log" 'mssql/akv-ekm/akv-ekm.conf:1: call_timeout_ms'
