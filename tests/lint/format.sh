#!/bin/sh
# format.sh SOURCE_DIR CLANG_FORMAT: every C file is formatted as .clang-format says, by the given version of clang-format.
# Other versions differ in details.
set -eu
cd "$1"
find src include tests -name '*.[ch]' -exec "$2" --dry-run --Werror {} +
