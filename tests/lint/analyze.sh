#!/bin/sh
# analyze.sh SOURCE BUILD JOBS: runs gcc's analyzer, cppcheck (both systems' sources) and clang-tidy (.clang-tidy) over src/ and
# the fuzzers. BUILD has the compile commands. Prints every finding, and fails if there is one.
set -eu
cd "$1"
build=$2
jobs=$3
failed=0

echo "analyze: gcc's analyzer"
sh tests/lint/analyzer.sh . gcc || failed=1

echo 'analyze: cppcheck'
for define in -D__linux__ -D_WIN32; do
    cppcheck --quiet --std=c11 --enable=warning,style,performance,portability --error-exitcode=1 \
        --suppressions-list=tests/lint/cppcheck.txt --inline-suppr -j "$jobs" \
        -D_GNU_SOURCE -D__GNUC__ "$define" -I src -I include -I tests/unit src tests/fuzz || failed=1
done

echo 'analyze: clang-tidy'
# One process for each file: clang-tidy 14 confuses va_list between files.
files=$(ls src/*/*.c tests/fuzz/*.c | grep -vE '(_win32|_registry)\.c$')
# shellcheck disable=SC2086 # a list of files
printf '%s\n' $files | xargs -P "$jobs" -n 1 clang-tidy --quiet -p "$build" 2>/dev/null || failed=1
exit "$failed"
