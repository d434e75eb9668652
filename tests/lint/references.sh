#!/bin/sh
# references.sh SOURCE_DIR: every page, section, anchor, file and requirement number that a comment or a page names exists. A line
# of a page has at most 120 columns, except in a table, a picture or a code span.
set -eu
LC_ALL=C
export LC_ALL
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
complain() {
    printf '%s\n' "$*"
    failed=1
}

find README.md CMakeLists.txt cmake docs include src tests .github -type f 2>/dev/null |
    grep -E '\.(c|h|md|sh|cmake|txt|yml|in|sql|py)$' | grep -vE '^tests/fuzz/seeds/|^tests/lint/references\.sh$' | sort >"$work/files"
sed 's|.*/||' "$work/files" | sort -u >"$work/names"

# Each file as one long line without comment marks, so that a reference may continue in the next line.
flatten() {
    sed -E 's/^[[:space:]]*(\*|#|\/\/)[[:space:]]?//' "$1" | tr '\n' ' ' | tr -s ' '
}

find_page() {
    for folder in docs docs/reference .; do
        [ ! -f "$folder/$1" ] || { printf '%s' "$folder/$1"; return; }
    done
}

check_section() { # FILE PAGE SECTION
    page=$(find_page "$2")
    [ -n "$page" ] || { complain "$1: there is no page $2"; return; }
    grep -qE "^##+ ${3}[. ]" "$page" || complain "$1: $2 has no section $3"
}

# The pages of docs/reference/ name pages of other projects as their sources.
check_pages() {
    case $1 in docs/reference/*) return ;; esac
    for page in $(grep -oE '\b[A-Za-z][A-Za-z_-]*\.md\b' "$work/text" | sort -u); do
        [ -n "$(find_page "$page")" ] || [ -f "$(dirname "$1")/$page" ] || grep -qx "$page" "$work/names" ||
            complain "$1: there is no page $page"
    done
}

check_file() {
    flatten "$1" >"$work/text"
    # "page.md section 5.5", "page.md sections 2 and 7", "page.md, section 6"
    grep -oE '[a-z-]+\.md(\)|`)?,? sections? [0-9][0-9.]*[0-9]?((,| and| to) [0-9][0-9.]*[0-9]?)*' "$work/text" | sort -u >"$work/sections" || :
    while read -r line; do
        page=$(printf '%s' "$line" | grep -oE '^[a-z-]+\.md')
        for section in $(printf '%s' "${line#*section}" | grep -oE '[0-9]+(\.[0-9]+)?'); do
            check_section "$1" "$page" "$section"
        done
    done <"$work/sections"
    check_pages "$1"
    for number in $(grep -oE '\bR[1-9][0-9]?\b' "$work/text" | sort -u); do
        grep -q "^- $number:" docs/reference/setup-article.md || complain "$1: the article has no $number"
    done
}

# Source files that comments and pages name, with or without folders. Files of other software are named only in links or code.
check_sources() {
    case $1 in docs/reference/* | cmake/* | */CMakeLists.txt) return ;; esac
    for name in $(grep -oE '(src|tests|cmake|docs|include)/[a-z0-9_/.-]+\.(c|h|sh|cmake|md|txt)\b' "$1" | sort -u); do
        case $name in *'*'* | tests/fuzz/seeds/*) continue ;; esac
        [ -e "$name" ] || grep -q "/$name\$" "$work/files" || complain "$1: there is no $name"
    done
}

# The anchor of a heading, as GitHub and GitLab make it.
anchors() {
    sed -nE 's/^#+ //p' "$1" | tr 'A-Z' 'a-z' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

check_links() {
    # Code between backticks and in blocks is no link.
    awk '/^ *```/ { code = !code; next } !code' "$1" | sed 's/`[^`]*`//g' |
        grep -oE '\]\([^)]+\)' | sed 's/^](//; s/)$//' | grep -vE '^(https?|mailto):' | sort -u >"$work/links" || :
    while read -r link; do
        target=${link%%#*}
        path=$1
        [ -z "$target" ] || path=$(dirname "$1")/$target
        [ -e "$path" ] || { complain "$1: link to $link"; continue; }
        case $link in
        *'#'*) anchors "$path" | grep -qx -- "${link#*#}" || complain "$1: no heading for $link" ;;
        esac
    done <"$work/links"
}

# Counts characters: the second and later bytes of a character are taken away.
check_columns() {
    tr -d '\200-\277' <"$1" | awk -v file="$1" '
        !/^ *[|!`]/ && length($0) > 120 { printf "%s:%d: %d columns\n", file, NR, length($0); bad = 1 }
        END { exit bad }' || failed=1
}

while read -r file; do
    check_file "$file"
    check_sources "$file"
    case $file in *.md) check_links "$file"; check_columns "$file" ;; esac
done <"$work/files"
exit "$failed"
