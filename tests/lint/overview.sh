#!/bin/sh
# overview.sh SOURCE_DIR: docs/overview.svg is what cmake/overview.sh draws from the sources of today.
set -eu
drawn=$(mktemp)
trap 'rm -f "$drawn"' EXIT
sh "$1/cmake/overview.sh" "$1" >"$drawn"
cmp "$drawn" "$1/docs/overview.svg" || { echo "draw it anew: sh cmake/overview.sh . > docs/overview.svg"; exit 1; }
