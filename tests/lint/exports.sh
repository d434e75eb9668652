#!/bin/sh
# exports.sh LIBRARY EXPORTS system|private [KIB]: the built library exports exactly the listed names, needs only the allowed
# libraries, runs with the C library of the oldest supported system, stays mapped, and is smaller than KIB when stripped.
set -eu
LC_ALL=C
export LC_ALL

library=$1
list=$2
less_than_kib=${4:-}
newest_glibc=2.34
may_need='libcurl.so.4 libcrypto.so.3 libssl.so.3 libcjson.so.1 libc.so.6'
if [ "$3" = private ]; then
    newest_glibc=2.28
    may_need='libc.so.6 libpthread.so.0 libdl.so.2' # all three glibc's own
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    printf '%s: %s\n' "$library" "$*"
    failed=1
}

grep -v '^$' "$list" | sort >"$work/expected"
nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort >"$work/found"
[ -s "$work/expected" ] || complain "no names in $list"
cmp -s "$work/expected" "$work/found" || {
    complain 'exports differ from the list (< listed, > exported):'
    diff "$work/expected" "$work/found" || :
}

readelf -dW "$library" >"$work/dynamic"
sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' "$work/dynamic" >"$work/needed"
[ -s "$work/needed" ] || complain 'needs no library at all: readelf was not understood'
while read -r needed; do
    case " $may_need " in
    *" $needed "*) ;;
    *) complain "needs $needed" ;;
    esac
done <"$work/needed"

objdump -T "$library" | sed -n 's/.*GLIBC_\([0-9.]*\)).*/\1/p; s/.*GLIBC_\([0-9.]*\) .*/\1/p' |
    sort -V -u >"$work/glibc"
newest=$(tail -n 1 "$work/glibc")
[ -n "$newest" ] || complain 'uses no symbol of the C library: objdump was not understood'
if [ "$(printf '%s\n%s\n' "$newest" "$newest_glibc" | sort -V | tail -n 1)" != "$newest_glibc" ]; then
    complain "uses symbols of GLIBC_$newest:"
    objdump -T "$library" | grep "GLIBC_$newest" || :
fi

grep -q 'NODELETE' "$work/dynamic" || complain 'may be unmapped: -z nodelete is missing'
grep -Eq 'BIND_NOW|FLAGS_1.*NOW' "$work/dynamic" || complain 'binds lazily: -z now is missing'
if grep -Eq 'TEXTREL|RPATH|RUNPATH' "$work/dynamic"; then
    complain 'has text relocations or a search path'
fi
readelf -lW "$library" >"$work/segments"
grep -q 'GNU_RELRO' "$work/segments" || complain 'relocations stay writable: -z relro is missing'
grep 'GNU_STACK' "$work/segments" | grep -q 'RW ' || complain 'has an executable stack'
# The first segment begins with the file's own tables.
grep -m 1 'LOAD' "$work/segments" | grep -q ' R  *0x' || complain 'tables may be executed: -z separate-code is missing'

if [ -n "$less_than_kib" ]; then
    readelf -SW "$library" | grep -q '\.eh_frame ' || complain 'cannot be unwound through'
    nm -D --undefined-only "$library" | grep -q '__stack_chk_fail' || complain 'is built without stack protector'
    strip -o "$work/stripped" "$library"
    size=$(wc -c <"$work/stripped")
    [ "$size" -lt $((less_than_kib * 1024)) ] || complain "takes $size bytes stripped, to be less than $less_than_kib KiB"
fi

exit "$failed"
