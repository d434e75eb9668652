#!/bin/sh
# format.sh SOURCE_DIR CLANG_FORMAT: every C file is formatted as .clang-format says. Versions of clang-format differ in detail:
# the one given is the one that counts.
set -eu
cd "$1"
find src include tests -name '*.[ch]' -exec "$2" --dry-run --Werror {} +
