#!/bin/sh
# statics.sh SOURCE_DIR: a static function of src/ carries its subject (two words at least), and no two modules share a name.
# A crash dump shows nothing else of it. The halves of one module for the two systems count as one.
set -eu
cd "$1"
names=$(mktemp)
trap 'rm -f "$names"' EXIT
# A definition begins at the line's start with `static`; its name stands before the first parenthesis.
for file in src/*/*.c; do
    module=$(printf '%s' "$file" | sed 's/_posix\.c$//; s/_win32\.c$//; s/\.c$//')
    awk -v module="$module" '
        /^static [^=;]*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name); print name, module }' "$file"
done | sort -u >"$names"
[ "$(wc -l <"$names")" -gt 100 ] || { echo "statics.sh finds no static functions"; exit 1; }
failed=0
single=$(awk '$1 !~ /_/' "$names")
[ -z "$single" ] || { printf 'names of one word:\n%s\n' "$single"; failed=1; }
shared=$(cut -d' ' -f1 "$names" | uniq -d)
[ -z "$shared" ] || { printf 'names of two modules:\n%s\n' "$shared"; failed=1; }
exit "$failed"
