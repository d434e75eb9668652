#!/bin/sh
# headers.sh SOURCE_DIR COMPILER: each header compiles alone. If there is a C++ compiler, the public header compiles as C++ too.
set -eu

cd "$1"
compiler=$2
failed=0
for header in src/*/*.h include/akvekm/*.h; do
    "$compiler" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -Isrc -fsyntax-only -x c -include "$header" \
        /dev/null || failed=1
done
if command -v c++ >/dev/null 2>&1; then
    c++ -std=c++11 -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ -include akvekm/sqlcrypt.h /dev/null || failed=1
fi
exit "$failed"
