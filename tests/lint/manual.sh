#!/bin/sh
# manual.sh SOURCE_DIR PAGE: the manual page has each setting of the source once, and groff formats it without a warning.
set -eu
failed=0
settings=$(sed -nE 's/^    \{"([a-z0-9_]+)", .*/\1/p' "$1/src/base/config_table.c")
[ "$(printf '%s\n' "$settings" | wc -l)" -gt 20 ] || { echo "manual.sh finds no settings in config_table.c"; exit 1; }
for setting in $settings; do
    [ "$(grep -c "^\.B $setting\$" "$2")" = 1 ] || { echo "$2: $setting is not there once"; failed=1; }
done
if command -v groff >/dev/null 2>&1; then
    warnings=$(groff -man -ww -z "$2" 2>&1)
    [ -z "$warnings" ] || { printf '%s\n' "$warnings"; failed=1; }
fi
exit "$failed"
