#!/bin/sh
# layers.sh SOURCE_DIR: checks src/. A file includes only files of its own layer or of lower ones (docs/architecture.md). Only
# src/net includes curl, only src/vault/wire includes cJSON. Files, headers and functions keep to their limits. Nothing is there
# that must not be in SQL Server's process.
set -eu
LC_ALL=C
export LC_ALL

cd "$1"
failed=0

complain() {
    printf '%s\n' "$*"
    failed=1
}

layer_of() {
    case $1 in
    platform) echo 0 ;;
    base) echo 1 ;;
    net) echo 2 ;;
    vault) echo 3 ;;
    keymap | discovery) echo 4 ;;
    provider) echo 5 ;;
    abi) echo 6 ;;
    tool) echo 7 ;;
    akvekm) echo 0 ;;
    *) echo none ;;
    esac
}

check_includes() {
    own=$(layer_of "$(basename "$(dirname "$1")")")
    for included in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$1"); do
        layer=$(layer_of "${included%%/*}")
        if [ "$layer" = none ] || [ "$own" = none ]; then
            [ "$own" = 7 ] && [ "$included" = explain_rows.inc ] || complain "$1: \"$included\" is in no layer"
        elif [ "$layer" -gt "$own" ]; then
            complain "$1: layer $own includes \"$included\" of layer $layer"
        fi
    done
    case $1 in
    src/net/*) ;;
    *) ! grep -n '#include <curl/' "$1" || complain "$1: only src/net includes curl" ;;
    esac
    case $1 in
    src/vault/wire*.c | src/vault/json.[ch]) ;;
    *) ! grep -n '#include <cjson/' "$1" || complain "$1: only src/vault/wire includes cJSON" ;;
    esac
    case $1 in
    src/keymap/*) ! grep -n '#include "discovery/' "$1" || complain "$1: the map must not include discovery" ;;
    esac
    case $1 in
    *_posix.[ch] | src/platform/thread.h | src/abi/*) ;;
    *)
        ! grep -nE '#include <(unistd|fcntl|pthread|poll|syslog|sys/[a-z]+)\.h>' "$1" ||
            complain "$1: only src/platform calls the system"
        ;;
    esac
}

# The limit of a file. One that would be harder to read in two parts has a limit of its own here.
limit_of() {
    case $1 in
    src/base/err_table.h) echo 130 ;; # one row a cause of failure
    *.h) echo 60 ;;
    *) echo 400 ;;
    esac
}

check_sizes() {
    lines=$(wc -l <"$1")
    limit=$(limit_of "$1")
    [ "$lines" -le "$limit" ] || complain "$1: $lines lines, $limit are the most"
    awk -v file="$1" '
        /^\{/ { start = NR }
        /^\}/ && start {
            if (NR - start - 1 > 60) { printf "%s:%d: a function of %d lines\n", file, start, NR - start - 1; bad = 1 }
            start = 0
        }
        length($0) > (file ~ /err_table/ ? 126 : 120) { # a row of that table is one line, read by scripts
            printf "%s:%d: %d columns\n", file, NR, length($0); bad = 1 }
        END { exit bad }' "$1" || failed=1
}

check_words() {
    ! grep -nE '(^|[^_a-z>.])(abort|assert|exit|_exit|alloca|setlocale|setenv|umask|chdir|openlog|strtok|localtime|gmtime)[ ]*\(' \
        "$1" || complain "$1: must not be called in SQL Server's process"
    ! grep -nE '(^|[^_a-z])(sprintf|vsprintf|strcpy|strcat|gets)[ ]*\(' "$1" ||
        complain "$1: writes without a limit"
    case $1 in
    src/platform/*.h | include/*) ;;
    *) ! grep -nE '^typedef struct' "$1" || complain "$1: a typedef hides a struct" ;;
    esac
}

count=0
for file in src/*/*.[ch]; do
    check_includes "$file"
    check_sizes "$file"
    check_words "$file"
    case $file in
    *.h) head -n 1 "$file" | grep -q '^/\*' || complain "$file: does not begin with a comment that says what it is" ;;
    esac
    count=$((count + 1))
done
[ "$count" -gt 40 ] || complain "only $count files found: is this the right folder?"

# The table of modules in docs/architecture.md names every module.
for file in src/*/*.c; do
    module=$(basename "$file" .c | sed 's/_posix$//; s/_win32$//')
    grep -q "^|.*\`$module\`" docs/architecture.md || complain "docs/architecture.md: no module $module ($file)"
done
exit "$failed"
