#!/bin/sh
# libraries.sh SYSTEM PRIVATE: measures two builds of the library (AKVEKM_LIBRARIES) in turns: load and Initialize, resident
# memory after a Decrypt beyond that of the same process without the library, stripped size. Fails beyond the targets.
set -eu
LC_ALL=C
export LC_ALL

[ $# -eq 2 ] || {
    echo 'usage: sh tests/bench/libraries.sh BUILD-FOLDER BUILD-FOLDER-WITH-PRIVATE-LIBRARIES' >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for round in 1 2 3; do
    for build in "$1" "$2"; do
        "$build/bench" --only start --quick --json "$work/$round.json" >/dev/null
        for name in ours_ms at_1 at_64 stripped_kib; do
            sed -n "s/.*\"$name\": \([0-9.]*\).*/$name \1/p" "$work/$round.json"
        done | sed "s/^/$([ "$build" = "$1" ] && echo system || echo private) /" >>"$work/all"
    done
done
# median LIBRARIES NAME
median() {
    sed -n "s/^$1 $2 //p" "$work/all" | sort -n | sed -n 2p
}
awk -v load="$(median private ours_ms) $(median system ours_ms)" -v memory="$(median private at_1) $(median system at_1)" \
    -v many="$(median private at_64) $(median system at_64)" -v size="$(median private stripped_kib) $(median system stripped_kib)" '
    function row(what, pair, most,   values, bad, words) {
        split(pair, values, " ")
        bad = (most > 0 && values[1] > most * values[2]) ? 1 : 0
        words = ""
        if (most > 0) {
            words = sprintf("at most %.2f%s", most, bad ? ": MISSED" : "")
        }
        printf("%-40s %10.2f %10.2f %8.2f %s\n", what, values[2], values[1], values[1] / values[2], words)
        return bad
    }
    BEGIN {
        printf "%-40s %10s %10s %8s\n", "", "system", "private", "ratio"
        bad = row("load and Initialize, ms", load, 0.5) + row("resident at 1 thread, KiB", memory, 0.6)
        row("resident at 64 threads, KiB", many, 0)
        row("size stripped, KiB", size, 0)
        split(size, values, " ")
        if (values[1] > 6144) {
            print "the size is over 6,144 KiB: MISSED"
            bad++
        }
        exit (bad > 0)
    }'
