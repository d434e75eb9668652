#!/bin/sh
# circles.sh SOURCE_DIR BUILD_DIR NM: no two modules of src/ need each other, be it in a round of several. A module is a .c with
# its .h, the halves for the two systems are one. It needs another one whose header it includes, by way of headers without a
# .c of their own as well, and one whose functions or data its object uses.
set -eu
LC_ALL=C
export LC_ALL
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "A B": a file of A includes the header of B; then what lies behind headers that are no module is added to A itself.
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

# "symbol A" of what A defines, "symbol B" of what B wants.
find "$2/src" -name '*.c.o' | while read -r object; do
    module=$(printf '%s' "$object" | sed 's|.*\.dir/||; s|\.c\.o$||')
    [ -f "src/$module.c" ] || continue # left behind by a source that has gone
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
[ "$needs" -gt 300 ] && [ "$calls" -gt 200 ] || { echo "circles.sh sees $needs needs, $calls by symbols: looked in the wrong place?"; exit 1; }
echo "$(wc -l <"$work/modules") modules, $needs needs, $calls of them by symbols"
if ! cut -d' ' -f1,2 "$work/needs" | sort -u | tsort >"$work/order" 2>"$work/loops"; then
    echo 'modules that need each other in a round:'
    sed 's/^tsort: //; s/^-: input contains a loop:/one round:/' "$work/loops"
    exit 1
fi
