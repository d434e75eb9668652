#!/bin/sh
# glibc_stub.sh CC VERSION FOLDER: makes in FOLDER a libc.so.6 to link against. It has the names that this machine's glibc has,
# each in the newest form that glibc VERSION knew: a library linked against it runs on that version and newer ones, and the
# link fails where a function is newer. Before 2.34 threads and dlsym were libraries of their own: they must be named among
# those that are needed, so there is an empty one for each. Nothing of all this ever runs.
set -eu
LC_ALL=C
export LC_ALL

[ $# -eq 3 ] || {
    echo 'usage: sh cmake/linux/glibc_stub.sh CC VERSION FOLDER' >&2
    exit 2
}
cc=$1
newest=$2
folder=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

libc=$($cc -print-file-name=libc.so.6)
# `errno` and its like are of the thread; no library refers to them by name.
readelf -W --dyn-syms "$libc" | awk -v newest="$newest" '
    function number(version,   part) {
        split(version, part, ".")
        return part[1] * 1000000 + part[2] * 1000 + part[3]
    }
    $7 != "UND" && $7 != "ABS" && ($4 == "FUNC" || $4 == "IFUNC" || $4 == "OBJECT") && $8 ~ /@@?GLIBC_[0-9.]+$/ {
        name = $8
        version = $8
        sub(/@.*/, "", name)
        sub(/.*GLIBC_/, "", version)
        if (number(version) <= number(newest) && number(version) > number(best[name])) {
            best[name] = version
            kind[name] = $4 == "OBJECT" ? "object" : "function"
        }
    }
    END {
        for (name in best) {
            print name, best[name], kind[name]
        }
    }' | sort >"$work/symbols"
[ -s "$work/symbols" ] || {
    echo "glibc_stub.sh: no symbols in $libc" >&2
    exit 1
}
awk '{
    printf ".globl stub_%d\n.type stub_%d,@%s\nstub_%d:\n.symver stub_%d,%s@@@GLIBC_%s\n.zero 8\n.size stub_%d,8\n",
        NR, NR, $3, NR, NR, $1, $2, NR
}' "$work/symbols" >"$work/stub.s"
awk '{ print "GLIBC_" $2 " { };" }' "$work/symbols" | sort -u >"$work/stub.map"
mkdir -p "$folder"
# stub NAME [ARGUMENT]...
stub() {
    name=$1
    shift
    $cc -shared -nostdlib "-Wl,-soname,$name" -Wl,-z,noexecstack -o "$work/$name" "$@"
    mv "$work/$name" "$folder/$name"
}
stub libpthread.so.0 -x assembler /dev/null
stub libdl.so.2 -x assembler /dev/null
stub libc.so.6 "-Wl,--version-script=$work/stub.map" "$work/stub.s"
