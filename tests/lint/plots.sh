#!/bin/sh
# plots.sh SOURCE_DIR: each data file of docs/performance/ agrees with its plot and with its table in docs/performance.md.
set -eu
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
complain() {
    printf '%s: draw it anew: sh cmake/plot.sh write\n' "$*"
    failed=1
}

for data in docs/performance/*.tsv; do
    name=$(basename "$data" .tsv)
    sh cmake/plot.sh svg "$data" >"$work/svg"
    cmp -s "$work/svg" "docs/performance/$name.svg" || complain "docs/performance/$name.svg is not what $data says"
    grep -qF "](performance/$name.svg)" docs/performance.md || complain "docs/performance.md does not show $name.svg"
    # The table is one block of the page, from its first line to the last line that is a row.
    sh cmake/plot.sh table "$data" >"$work/table"
    first=$(head -n 1 "$work/table")
    awk -v first="$first" '$0 == first { on = 1 } !/^\|/ { on = 0 } on' docs/performance.md >"$work/shown"
    cmp -s "$work/table" "$work/shown" || complain "the table of docs/performance.md is not what $data says"
done
for picture in docs/performance/*.svg; do
    [ -f "${picture%.svg}.tsv" ] || complain "$picture has no data file"
done
exit "$failed"
