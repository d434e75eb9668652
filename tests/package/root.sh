# Sourced by the tests of the packages: a clean Debian of one's own over CHROOT, which stays as it is. $root is its folder, in_root
# COMMAND runs there; $rig has vaultsim and an ekmhost that runs in it. All ends with the script, in a mount namespace of its own.
# shellcheck shell=sh
set -eu
LC_ALL=C
export LC_ALL

# root_begin NAME CHROOT BUILD
root_begin() {
    name=$1
    work=$(mktemp -d "${TMPDIR:-/tmp}/akvekm-package.XXXXXX")
    root=$work/root
    rig=$work/rig
    trap root_end EXIT
    trap 'exit 1' HUP INT TERM
    mkdir -p "$root" "$work/upper" "$work/over" "$rig/lib" "$work/tmp"
    mount -t overlay overlay -o "lowerdir=$2,upperdir=$work/upper,workdir=$work/over" "$root"
    mount -t proc proc "$root/proc"
    mkdir -p "$root$work"
    mount --bind "$work" "$root$work"
    # The stand-in brings the libraries that it needs itself: the system stays clean.
    ln -s "$3/vaultsim" "$rig/vaultsim"
    cp -r "$here/../demo" "$rig/demo"
    demo=$rig/demo/demo.sh
    cp "$3/ekmhost" "$rig/ekmhost.real"
    ldd "$3/ekmhost" | sed -n 's/.*=> \(.*lib\(cjson\|crypto\)[^ ]*\) .*/\1/p' | while read -r library; do
        cp "$library" "$rig/lib"
    done
    cat >"$rig/ekmhost" <<HOST
#!/bin/sh
exec chroot "$root" env "LD_LIBRARY_PATH=$rig/lib" "$rig/ekmhost.real" "\$@"
HOST
    chmod 0755 "$rig/ekmhost"
    TMPDIR=$work/tmp
    export TMPDIR
    in_root useradd --system --home-dir /var/opt/mssql --shell /usr/sbin/nologin mssql
    in_root install -d -o mssql -g mssql -m 0755 /var/opt/mssql /var/opt/mssql/log
}

root_end() {
    status=$?
    trap - EXIT HUP INT TERM
    [ -z "${vault_pid:-}" ] || kill "$vault_pid" 2>/dev/null || :
    [ "$status" -eq 0 ] || { [ ! -s "$work/log" ] || tail -n 60 "$work/log" >&2; }
    umount "$root$work" "$root/proc" "$root" 2>/dev/null || umount -l "$root" || :
    rm -rf "$work"
    exit "$status"
}

in_root() {
    chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

fail() {
    echo "$name: FAILED: $*" >&2
    exit 1
}

# list WHEN: files and rights of what is installed.
list() {
    echo "-- $1"
    in_root find /opt/akv-ekm /etc/logrotate.d/akv-ekm /var/opt/mssql -printf '%M %u:%g %p%l\n' 2>/dev/null |
        sed 's|\(/current\)\([^ ]\)|\1 -> \2|' | sort -k 3 || :
}

# needs_glibc_alone LIBRARY
needs_glibc_alone() {
    ! in_root env LD_TRACE_LOADED_OBJECTS=1 /lib64/ld-linux-x86-64.so.2 "$1" |
        grep -vE 'linux-vdso|/ld-linux|lib(c|pthread|dl)\.so' || fail "$1 needs more than glibc"
}

# demo_in_root LIBRARY: the setup article's T-SQL, start to end.
demo_in_root() {
    DEMO_LIBRARY=$1 sh "$demo" "$rig" >"$work/log" 2>&1 || fail "the demo with $1"
    tail -n 1 "$work/log"
    grep -q ', 0 errors$' "$work/log" || fail "the demo with $1 has errors"
}

# storm_begin LIBRARY SECONDS: a server that opens an encrypted database again and again.
storm_begin() {
    folder=$work/storm
    mkdir -p "$folder"
    "$rig/vaultsim" --state "$folder/vault" >"$folder/ready" &
    vault_pid=$!
    for _ in $(seq 300); do
        ! grep -q '^vaultsim: ready' "$folder/ready" || break
        sleep 0.1
    done
    "$rig/vaultsim" ctl --state "$folder/vault" POST /keys \
        '{"vault":"contoso-vault.vault.azure.net","name":"TdeKey0","kty":"RSA","key_size":2048}' >/dev/null
    AKVEKM_CONFIG=$folder/vault/akv-ekm.conf LIBRARY=$1 VAULT=contoso-vault BACKUP=$folder/demo.bak
    SECRET='11111111222243338444555555555555Sim~Secret-0.with_hyphens-1'
    export AKVEKM_CONFIG LIBRARY VAULT SECRET BACKUP
    for script in 1-setup.sql 2-encrypt.sql; do
        "$rig/ekmhost" --data "$folder/server" "$(dirname "$demo")/$script" >"$work/log" 2>&1 || fail "$script"
    done
    "$rig/ekmhost" --data "$folder/server" --sessions 2 --storm "recover:$2" --report </dev/null >"$folder/report" 2>&1 &
    storm_pid=$!
    sleep 2
}

storm_end() {
    wait "$storm_pid" || fail "the host that ran meanwhile: $(cat "$folder/report")"
    grep '^report:' "$folder/report"
    ! grep -q 'failed [1-9]' "$folder/report" || fail 'a recovery failed meanwhile'
}

# opens LIBRARY-PATH: the server that was registered with it starts anew and reads its rows.
opens() {
    "$rig/ekmhost" --data "$folder/server" "$(dirname "$demo")/3-restart.sql" >"$work/log" 2>&1 || fail "after $1"
    grep -q Grace "$work/log" || fail "no rows after $1"
}
