#!/bin/sh
# requirements.sh SOURCE: docs/requirements.md has every requirement once, and every test and page that it names exists.
set -eu
cd "$1"
failed=0
wrong() {
    echo "requirements.md: $*"
    failed=1
}

for number in $(seq -f 'R%.0f' 72) $(seq -f 'C%.0f' 5); do
    [ "$(grep -c "^| $number |" docs/requirements.md)" = 1 ] || wrong "$number is not there once"
done
rows=$(grep '^| [RC][0-9]' docs/requirements.md)
tests=$(printf '%s\n' "$rows" | grep -oE '`(demo|(unit|vaultsim|host|integration|scenario|lint)\.[a-z0-9_]+)`' |
    tr -d '`' | sort -u)
for test in $tests; do
    case $test in
        demo) file=tests/demo/demo.sh ;;
        scenario.*) file=tests/integration/scenario_${test#*.}.sh ;;
        integration.*) file=tests/integration/test_${test#*.}.c ;;
        unit.*) file=tests/unit/${test#*.}.c ;;
        vaultsim.*) file=tests/vaultsim/${test#*.}/selftest.c ;;
        lint.*) file=tests/lint/${test#*.}.sh ;;
        *) file=tests/host/CMakeLists.txt ;;
    esac
    [ -f "$file" ] || wrong "there is no test $test"
done
for page in $(printf '%s\n' "$rows" | grep -oE '[A-Za-z]+\.md' | sort -u); do
    [ -f "$page" ] || [ -f "docs/$page" ] || wrong "there is no page $page"
done
exit "$failed"
