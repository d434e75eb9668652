#!/bin/sh
# assumptions.sh SOURCE: each behaviour in docs/ekmhost.md has a source, or is assumed with a number (A1, A2, ...). Each number is
# once in the list of assumptions, and each number of the list is used.
set -eu
cd "$1"
failed=0
wrong() {
    echo "ekmhost.md: $*"
    failed=1
}

page=docs/ekmhost.md
list=$(sed -n '/^## Assumptions/,/^## Statements/p' "$page" | grep '^| A[0-9]' || :)
rows=$(sed '/^## Assumptions/,/^## Statements/d' "$page" | grep '^|' || :)
[ -n "$list" ] && [ -n "$rows" ] || wrong 'there is no list of assumptions, or no table of behaviours'
numbers=$(printf '%s\n' "$list" | sed 's/^| \(A[0-9]*\) .*/\1/')
twice=$(printf '%s\n' "$numbers" | sort | uniq -d)
[ -z "$twice" ] || wrong "in the list twice: $twice"
used=$(printf '%s\n' "$rows" | grep -oE '\bA[0-9]+\b' | sort -u)
for number in $used; do
    printf '%s\n' "$numbers" | grep -qx "$number" || wrong "$number is used, but not in the list"
done
for number in $numbers; do
    printf '%s\n' "$used" | grep -qx "$number" || wrong "$number is in the list, but nothing uses it"
done
# `akv-ekm trace` judges the same list.
code=$(sed -n 's/^    {"\(A[0-9]*\)".*/\1/p' src/tool/assumption.c)
[ "$code" = "$numbers" ] || wrong 'src/tool/assumption.c has other numbers than the list, or another order'
for number in $(printf '%s\n' "$list" | grep -v '| nothing' | sed 's/^| \(A[0-9]*\) .*/\1/'); do
    grep -q "{\"$number\".* JUDGE_[^N]" src/tool/assumption.c || wrong "akv-ekm trace does not judge $number"
done
printf '%s\n' "$rows" | grep 'assumed' | grep -vE 'assumed A[0-9]' && wrong 'the rows above are assumed without a number'
# A row ends in its source.
printf '%s\n' "$rows" | grep -vE '^\|(---)+|^\| Behaviour \| Source' | grep -E '\| *\|$' && wrong 'the rows above have no source'
exit "$failed"
