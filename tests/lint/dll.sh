#!/bin/sh
# dll.sh DLL EXPORTS FOLDER...: the DLL exports exactly the listed names, undecorated. It imports only DLLs that every Windows
# has. The system may map it anywhere (ASLR), and its data cannot be executed. It contains neither the time of its build nor any
# of the folders.
set -eu
LC_ALL=C
export LC_ALL

dll=$1
list=$2
shift 2
may_import='advapi32 bcrypt crypt32 kernel32 msvcrt ncrypt ole32 shell32 user32 winhttp ws2_32'
objdump=x86_64-w64-mingw32-objdump
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    printf '%s: %s\n' "$dll" "$*"
    failed=1
}

$objdump -p "$dll" >"$work/headers"
grep -q 'file format pei-x86-64' "$work/headers" || complain 'is not for Windows x64'

grep -v '^$' "$list" | sort >"$work/expected"
# Newer binutils write the ordinal's base and a hint before the name.
sed -n '/^\[Ordinal\/Name Pointer\] Table/,/^$/s/^[[:space:]]*\[ *[0-9]*\] .*/&/p' "$work/headers" | awk '{ print $NF }' |
    sort >"$work/found"
[ -s "$work/expected" ] || complain "no names in $list"
cmp -s "$work/expected" "$work/found" || {
    complain 'exports differ from the list (< listed, > exported):'
    diff "$work/expected" "$work/found" || :
}
# An export may have only a number and no name.
count=$(sed -n '/^Export Address Table -- /,/^\[Ordinal/p' "$work/headers" | grep -c '\[ *[0-9]*\] +base' || :)
[ "$count" = "$(wc -l <"$work/expected")" ] || complain "exports $count addresses"

sed -n 's/^[[:space:]]*DLL Name: \(.*\)$/\1/p' "$work/headers" | tr '[:upper:]' '[:lower:]' | sed 's/\.dll$//' >"$work/imports"
[ -s "$work/imports" ] || complain 'imports nothing at all: objdump was not understood'
while read -r import; do
    case " $may_import " in
    *" $import "*) ;;
    *) complain "imports $import.dll" ;;
    esac
done <"$work/imports"

for flag in HIGH_ENTROPY_VA DYNAMIC_BASE NX_COMPAT; do
    grep -q "^[[:space:]]*$flag\$" "$work/headers" || complain "lacks $flag"
done
grep -q '^Time/Date[[:space:]]*Thu Jan  1 00:00:00 1970$' "$work/headers" || complain 'holds the time of its build'
$objdump -h "$dll" | grep -q '\.reloc' || complain 'cannot be moved: no relocations'

for folder in "$@"; do
    for text in "$folder" "$(printf '%s' "$folder" | sed 's|/|\\|g')"; do
        ! grep -aqF -- "$text" "$dll" || complain "holds the path $text"
        printf '%s' "$text" | iconv -t UTF-16LE >"$work/wide"
        ! grep -aqF -f "$work/wide" "$dll" 2>/dev/null || complain "holds the path $text in UTF-16"
    done
done
! grep -aqE '/(home|tmp|work|root|builds?)/[A-Za-z0-9_.-]+/' "$dll" ||
    complain "holds a path: $(grep -aoE '/(home|tmp|work|root|builds?)/[A-Za-z0-9_./-]+' "$dll" | head -n 3)"

exit "$failed"
