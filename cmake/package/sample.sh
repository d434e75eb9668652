#!/bin/sh
# sample.sh CONFIGURATION.MD: prints a configuration in which every setting has its default, as a comment. So each one is
# described in one place.
set -eu
LC_ALL=C
export LC_ALL

cat <<'HEAD'
# akv-ekm: every setting with its default. Without this file all of them hold; take the "#" from a line that you change.
# Who may write this file and the folders above it: only root, or on Windows only administrators.
HEAD
sed 's/\\|/\x01/g' "$1" | awk -F ' *[|] *' '
    /^## / {
        title = substr($0, 4)
    }
    function plain(text) {
        gsub(/`/, "", text)
        gsub(/\x01/, "|", text)
        text = text ""
        while (match(text, /\[[^]]*\]\([^)]*\)/)) {
            link = substr(text, RSTART, RLENGTH)
            label = link
            sub(/^\[/, "", label)
            sub(/\]\(.*/, "", label)
            text = substr(text, 1, RSTART - 1) label substr(text, RSTART + RLENGTH)
        }
        return text
    }
    function comment(text,   words, count, i, line) {
        count = split(text, words, " ")
        line = "#"
        for (i = 1; i <= count; i++) {
            if (length(line) + length(words[i]) > 110) {
                print line
                line = "#"
            }
            line = line " " words[i]
        }
        print line
    }
    $2 ~ /^`[a-z0-9_]+`$/ && NF >= 8 {
        if (title != shown) {
            printf "\n# --- %s ---\n", title
            shown = title
        }
        key = plain($2)
        value = plain($5)
        print ""
        comment(plain($7))
        comment(plain($3) ($4 != "" ? ": " plain($4) : "") ($6 == "yes" ? ". Widens whom the library trusts." : ""))
        if (value ~ / /) {
            if ($5 ~ /^`[^`]*`$/) {
                print "#" key " = " value
            } else {
                comment("Default: " value)
                print "#" key " ="
            }
        } else {
            print "#" key " = " (value == "empty" || value == "none" ? "" : value)
        }
    }' | sed 's/ $//'
