#!/bin/sh
# lines.sh SOURCE BUILD: shows which lines of src/ the tests ran, as gcov counted in the build folder. Fails below 90 %.
set -eu
cd "$1"
gcovr --root . --object-directory "$2" --filter 'src/' --fail-under-line 90 "$2" 2>/dev/null
cat <<'SAID'
Not counted: *_win32.c and *_registry.c, which are built for Windows only (sh cmake/dev.sh windows runs their tests), and what
ran in processes that were killed or left with _exit, as the crash tests do. libakvekm.so is counted when ekmhost and the
tests that load it end.
SAID
