#!/bin/sh
# format.sh SOURCE_DIR CLANG_FORMAT: every C file is formatted as .clang-format says. Versions of clang-format differ in detail:
# the one given is the one that counts.
set -eu
cd "$1"
failed=0
for file in $(find src include tests -name '*.[ch]'); do
    "$2" --dry-run --Werror "$file" || failed=1
done
exit "$failed"
