#!/bin/sh
# sample.sh SOURCE_DIR: the sample configuration of the packages has every setting of docs/configuration.md once, and otherwise
# only comments.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sh "$1/cmake/package/sample.sh" "$1/docs/configuration.md" >"$work/sample"
sed -n 's/^| `\([a-z0-9_]*\)` |.*/\1/p' "$1/docs/configuration.md" | sort >"$work/described"
sed -n 's/^#\([a-z0-9_]*\) =.*/\1/p' "$work/sample" | sort >"$work/shown"
[ "$(wc -l <"$work/described")" -ge 30 ] || { echo 'docs/configuration.md was not understood'; exit 1; }
diff "$work/described" "$work/shown" || { echo 'the sample lacks settings, or has others'; exit 1; }
! grep -vE '^(#.*)?$' "$work/sample" || { echo 'the sample sets something'; exit 1; }
