#!/bin/sh
# statics.sh SOURCE_DIR: the name of a static function has its subject (at least two words), in src/ and in tests/, because a crash
# dump shows only that name. In src/ no two modules share a name, in tests/ no two files of one program. The two files of one
# module for Linux and Windows count as one module.
set -eu
LC_ALL=C
export LC_ALL
cd "$1"
names=$(mktemp)
trap 'rm -f "$names"' EXIT
failed=0
# "name module" of each definition. It begins at the line's start with `static`; its name is before the first parenthesis.
list_names() {
    for file; do
        module=$(printf '%s' "$file" | sed 's/_posix\.c$//; s/_win32\.c$//; s/\.c$//')
        printf '%s %s\n' "$file" "$module"
    done | while read -r file module; do
        awk -v module="$module" '
            /^static [^=;]*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name); print name, module }' "$file"
    done | sort -u >"$names"
}
complain_single() {
    single=$(awk '$1 !~ /_/' "$names")
    [ -z "$single" ] || { printf 'names of one word:\n%s\n' "$single"; failed=1; }
}
complain_shared() {
    shared=$(cut -d' ' -f1 "$names" | uniq -d)
    [ -z "$shared" ] || { printf 'names of two files of %s:\n%s\n' "$1" "$shared"; failed=1; }
}

list_names src/*/*.c
[ "$(wc -l <"$names")" -gt 500 ] || { echo "statics.sh finds few static functions in src"; exit 1; }
complain_single
complain_shared src

# A folder of tests/ has the sources of several programs. Each test_*.c and fuzz_*.c, each file with a main function and each
# provider is one program, together with all other files of the folder.
list_names tests/*/*.c tests/*/*/*.c
[ "$(wc -l <"$names")" -gt 1500 ] || { echo "statics.sh finds few static functions in tests"; exit 1; }
complain_single
for folder in $(find tests -name '*.c' | sed 's|/[^/]*$||' | sort -u); do
    programs=$(grep -lE '^int main\(' "$folder"/*.c | cat; ls "$folder" | grep -E '^(test|fuzz|dummy)_.*\.c$' | sed "s|^|$folder/|")
    # shellcheck disable=SC2046
    list_names $(printf '%s\n' "$folder"/*.c | grep -vxF "$programs")
    complain_shared "$folder"
    cp "$names" "$names.shared"
    for program in $programs; do
        list_names "$program"
        sort "$names.shared" "$names" >"$names.both" && mv "$names.both" "$names"
        complain_shared "$folder"
    done
    rm -f "$names.shared"
done
exit "$failed"
