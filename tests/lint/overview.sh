#!/bin/sh
# overview.sh SOURCE_DIR: docs/overview.svg and docs/tests.svg are what cmake/overview.sh draws from the current sources.
set -eu
drawn=$(mktemp)
trap 'rm -f "$drawn"' EXIT
for picture in overview tests; do
    sh "$1/cmake/overview.sh" "$1" "$picture" >"$drawn"
    cmp "$drawn" "$1/docs/$picture.svg" || { echo "draw it anew: sh cmake/overview.sh . $picture > docs/$picture.svg"; exit 1; }
done
