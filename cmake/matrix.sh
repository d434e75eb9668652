#!/bin/sh
# matrix.sh [SUITE...]: builds and tests the project in clean chroots of Debian: bookworm trixie sid, if none is named. As root.
# Everything lies in AKVEKM_MATRIX_DIR, else in ${TMPDIR:-/tmp}/akvekm-matrix: a tarball of each chroot with its packages, kept
# for a week, the chroot of the running suite, and the output of each step. The mirror is the one of this machine's apt. All
# mounts and processes are in namespaces of their own, so that they end with the command, however it ends. Ends with a table.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
folder=${AKVEKM_MATRIX_DIR:-${TMPDIR:-/tmp}/akvekm-matrix}
keep_days=7

say() {
    printf 'matrix: %s\n' "$*"
}

# --- the chroots -----------------------------------------------------------------------------------------------------------

# repository PATTERN: the first archive of this machine's apt sources whose suite fits.
repository() {
    apt-get indextargets --format '$(REPO_URI) $(SUITE) $(RELEASE)' 'Created-By: Packages' |
        awk -v pattern="$1" '$2 ~ pattern || $3 ~ pattern { print $1; exit }'
}

write_sources() {
    {
        echo "deb $mirror $suite main"
        if [ "$suite" != sid ] && [ "$suite" != unstable ]; then
            echo "deb $mirror $suite-updates main"
            [ -z "$security" ] || echo "deb $security $suite-security main"
        fi
    } >"$chroot/etc/apt/sources.list"
    apt-config dump --format '%F "%v";%n' Acquire >"$chroot/etc/apt/apt.conf.d/90matrix"
    cp /etc/resolv.conf /etc/hosts "$chroot/etc/"
}

mount_all() {
    mount -t proc proc "$chroot/proc"
    mount -t sysfs -o ro sysfs "$chroot/sys"
    mount -t tmpfs -o mode=755 tmpfs "$chroot/dev"
    for device in null zero full random urandom tty; do
        touch "$chroot/dev/$device"
        mount --bind "/dev/$device" "$chroot/dev/$device"
    done
    mkdir "$chroot/dev/shm" "$chroot/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$chroot/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$chroot/dev/pts"
    ln -s pts/ptmx "$chroot/dev/ptmx"
    ln -s /proc/self/fd "$chroot/dev/fd"
    for stream in 0:stdin 1:stdout 2:stderr; do
        ln -s "fd/${stream%:*}" "$chroot/dev/${stream#*:}"
    done
}

# After the namespace ends, the folder has no mounts.
remove_chroot() {
    rm -rf --one-file-system "$chroot"
}

make_chroot() {
    mirror=$(repository '^(bookworm|trixie|forky|sid|stable|testing|unstable|oldstable)$')
    security=$(repository '-security$')
    [ -n "$mirror" ] || {
        say "no Debian archive among this machine's apt sources"
        return 1
    }
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$chroot" "$mirror" && write_sources
}

inside() {
    chroot "$chroot" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        sh -euc "cd /root/akv-ekm; $1"
}

copy_source() {
    rm -rf "$chroot/root/akv-ekm"
    mkdir -p "$chroot/root/akv-ekm"
    tar -C "$root" --exclude='./build*' -cf - . | tar -C "$chroot/root/akv-ekm" --no-same-owner -xf -
}

# --- the steps -------------------------------------------------------------------------------------------------------------

# step NAME FUNCTION [ARGUMENT]: one line of the table. What it prints goes to a file, whose end is shown if it fails.
step() {
    name=$1
    shift
    begin=$(date +%s)
    outcome=ok
    "$@" >"$folder/$suite-$name.log" 2>&1 </dev/null || outcome=FAILED
    printf '%-10s %-14s %-7s %5d\n' "$suite" "$name" "$outcome" $(($(date +%s) - begin)) >>"$folder/table"
    tail -n 1 "$folder/table"
    [ "$outcome" = ok ] || {
        tail -n 30 "$folder/$suite-$name.log"
        return 1
    }
}

run_suite() {
    suite=$1
    chroot=$folder/$suite
    mount_all
    copy_source
    step packages inside 'apt-get -q update; apt-get -q -y dist-upgrade; sh cmake/dev.sh setup' || return 0
    tar -C "$chroot" --one-file-system --exclude=./root/akv-ekm -cf "$folder/$suite.tar.new" .
    [ -f "$folder/$suite.tar" ] || mv "$folder/$suite.tar.new" "$folder/$suite.tar"
    rm -f "$folder/$suite.tar.new"
    step build inside 'sh cmake/dev.sh build' || return 0
    step plain inside 'cmake -S . -B build-plain -G Ninja -DAKVEKM_TESTS=OFF; cmake --build build-plain' || :
    step release inside 'cmake -S . -B build-release -G Ninja -DCMAKE_BUILD_TYPE=Release -DAKVEKM_WERROR=ON
        cmake --build build-release; rm -rf build-release' || :
    step flags inside 'apt-get -q -y --no-install-recommends install dpkg-dev; sh tests/lint/flags.sh "$PWD" --build' || :
    step demo inside 'sh cmake/dev.sh demo' || :
    if [ "$suite" = sid ]; then
        step unit inside 'ctest --test-dir build -L unit -j "$(nproc)" --output-on-failure' || :
    else
        step tests inside 'ctest --test-dir build -j "$(nproc)" --output-on-failure' || :
    fi
}

# --- main ------------------------------------------------------------------------------------------------------------------

if [ "${1:-}" = --inside ]; then
    run_suite "$2"
    exit 0
fi
[ "$(id -u)" -eq 0 ] || {
    say 'must be run as root: it makes chroots'
    exit 1
}
[ $# -gt 0 ] || set -- bookworm trixie sid
mkdir -p "$folder"
: >"$folder/table"
for suite in "$@"; do
    chroot=$folder/$suite
    trap remove_chroot EXIT
    child=
    trap '[ -z "$child" ] || kill "$child"; exit 1' HUP INT TERM
    remove_chroot
    find "$folder" -maxdepth 1 -name "$suite.tar" -mtime "+$keep_days" -delete
    if [ -f "$folder/$suite.tar" ]; then
        mkdir "$chroot"
        tar -C "$chroot" -xf "$folder/$suite.tar"
    elif ! step chroot make_chroot; then
        continue
    fi
    unshare --mount --propagation private --pid --fork --kill-child sh "$root/cmake/matrix.sh" --inside "$suite" &
    child=$!
    wait "$child" || echo "$suite ended FAILED" >>"$folder/table"
    child=
    remove_chroot
done
echo
printf '%-10s %-14s %-7s %5s\n' suite step outcome s
cat "$folder/table"
! grep -q FAILED "$folder/table"
