#!/bin/sh
# analyzer.sh SOURCE CC: runs gcc's static analyzer over the sources that it can compile here, all but those for Windows. Every
# finding fails.
set -eu
cd "$1"
failed=0
made=$(mktemp -d) # what the build makes of the documentation
trap 'rm -rf "$made"' EXIT
cmake -DPAGE=docs/errors.md "-DOUT=$made/explain_rows.inc" -P cmake/explain.cmake
for file in src/*/*.c tests/fuzz/*.c; do
    case $file in
        *_win32.c | *_registry.c) continue ;;
    esac
    "$2" -fanalyzer -O1 -std=c11 -D_GNU_SOURCE '-DAKVEKM_VERSION="0"' -Isrc -Iinclude -Itests/unit "-I$made" -Wall -Wextra -Werror \
        -c -o /dev/null "$file" || failed=1
done
exit "$failed"
