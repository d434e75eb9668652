#!/bin/sh
# plot.sh svg FILE.tsv    draws the plot of a data file to standard output
# plot.sh table FILE.tsv  prints the same data as a table for a page
# plot.sh write           draws every plot of docs/performance/ anew, and puts every table into docs/performance.md
#
# A plot is one small file, docs/performance/NAME.tsv. Columns are separated by one tab each. To add a plot: write the
# file, put "![what one sees](performance/NAME.svg)" and the table's first line into docs/performance.md, and run
# "sh cmake/plot.sh write". lint.plots fails while picture or table differ from the data. The file:
#
#   #title   The line above the picture
#   #kind    bars (one group of bars a row) or lines (one line a series; the label column is a number)
#   #label   the columns that name a row, separated by commas; "threads=% threads" shows 8 as "8 threads"
#   #series  the columns to draw, separated by commas; "ops/s=akv-ekm" gives the series another name in the legend
#   #unit    what the values are: "calls a second"
#   #scale   log (from the power of ten below the least value) or linear (from 0; the default)
#   #only    COLUMN=TEXT: draw these rows alone; the table has them all
#   wait ms	threads	ops/s	bare ops/s          the names of the columns
#   0	1	4049	3905                            the rows
#
# A value may carry thousands commas and any text behind the number ("1,000 ms" is 1000); an empty cell or one without a
# number is not drawn. A line of "# " and text is a comment.
set -eu
LC_ALL=C
export LC_ALL
root=$(cd "$(dirname "$0")/.." && pwd)
page=$root/docs/performance.md

table() {
    awk -F '\t' '
        /^#/ { next }
        { line = "|"; for (i = 1; i <= NF; i++) line = line " " $i " |"; gsub(/  /, " ", line); print line }
        !header++ { line = "|"; for (i = 1; i <= NF; i++) line = line "---|"; print line }' "$1"
}

# Replaces the table of the page that begins with the data's line of column names.
insert_table() {
    table "$1" >"$work/table"
    grep -qxF "$(head -n 1 "$work/table")" "$page" || { echo "plot.sh: no table for $1 in $page" >&2; exit 1; }
    awk -v table="$work/table" '
        BEGIN { getline first <table; rest = first; while ((getline line <table) > 0) rest = rest "\n" line }
        $0 == first { print rest; old = 1; next }
        old && /^\|/ { next }
        { old = 0; print }' "$page" >"$work/page"
    cat "$work/page" >"$page"
}

case ${1:-} in
svg) awk -f "$root/cmake/plot.awk" "$2" ;;
table) table "$2" ;;
write)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    for data in "$root"/docs/performance/*.tsv; do
        awk -f "$root/cmake/plot.awk" "$data" >"$work/svg"
        cat "$work/svg" >"${data%.tsv}.svg"
        insert_table "$data"
    done
    ;;
*)
    sed -n '2,4s/^# //p' "$0" >&2
    exit 2
    ;;
esac
