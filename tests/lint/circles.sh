#!/bin/sh
# circles.sh SOURCE_DIR BUILD_DIR NM: modules of src/ do not depend on each other in a circle. A module is a .c with its .h; the
# two files for Linux and Windows are one module. A module depends on another if it includes its header, directly or through
# headers that have no .c, or if its object uses functions or data of the other.
set -eu
LC_ALL=C
export LC_ALL
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "A B": a file of A includes the header of B. What headers without a .c include is then added to A itself.
for file in src/*/*.[ch]; do
    sed -n "s|^#include \"\\([a-z_]*/[a-z_0-9]*\\)\\.h\".*|$file \\1|p" "$file"
done | sed 's|^src/||; s|\.[ch] | |; s|_posix | |; s|_win32 | |' | awk '$1 != $2' | sort -u >"$work/lines"
find src -name '*.c' | sed 's|^src/||; s|\.c$||; s|_posix$||; s|_win32$||' | sort -u >"$work/modules"
awk '
    FILENAME ~ /modules$/ { module[$1] = 1; next }
    { next_of[$1] = next_of[$1] " " $2 }
    function follow(from, at,   i, n, names) {
        n = split(next_of[at], names, " ")
        for (i = 1; i <= n; i++) {
            if (names[i] == from || ((from, names[i]) in seen)) continue
            seen[from, names[i]] = 1
            if (names[i] in module) print from, names[i], "includes"
            else follow(from, names[i])
        }
    }
    END { for (name in module) follow(name, name) }' "$work/modules" "$work/lines" >"$work/needs"

# "symbol A" for each symbol that A defines, "symbol B" for each that B uses.
find "$2/src" -name '*.c.o' | while read -r object; do
    module=$(printf '%s' "$object" | sed 's|.*\.dir/||; s|\.c\.o$||')
    [ -f "src/$module.c" ] || continue # an object of a source that no longer exists
    module=$(printf '%s' "$module" | sed 's|_posix$||; s|_win32$||')
    "$3" "$object" | awk -v module="$module" '
        $(NF - 1) == "U" { print "wants", $NF, module }
        $(NF - 1) ~ /^[TDBRVWC]$/ { print "has", $NF, module }'
done | sort -u >"$work/symbols"
awk '
    $1 == "has" { owner[$2] = $3 }
    $1 == "wants" { symbol[++count] = $2; user[count] = $3 }
    END {
        for (i = 1; i <= count; i++)
            if (symbol[i] in owner && owner[symbol[i]] != user[i]) print user[i], owner[symbol[i]], symbol[i]
    }' "$work/symbols" >>"$work/needs"

needs=$(cut -d' ' -f1,2 "$work/needs" | sort -u | wc -l)
calls=$(awk '$3 != "includes" { print $1, $2 }' "$work/needs" | sort -u | wc -l)
[ "$needs" -gt 300 ] && [ "$calls" -gt 200 ] || { echo "circles.sh finds $needs dependencies, $calls by symbols: is this the right folder?"; exit 1; }
echo "$(wc -l <"$work/modules") modules, $needs dependencies, $calls of them by symbols"
if ! cut -d' ' -f1,2 "$work/needs" | sort -u | tsort >"$work/order" 2>"$work/loops"; then
    echo 'modules that depend on each other in a circle:'
    sed 's/^tsort: //; s/^-: input contains a loop:/one round:/' "$work/loops"
    exit 1
fi
