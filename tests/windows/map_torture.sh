#!/bin/sh
# map_torture.sh BUILD WINDOWS_BUILD [KILLS]: the map as a file under Wine, its writers killed at any moment.
set -eu
windows=$(CDPATH='' cd -- "$2" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/akvekm-map.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
timeout 550 sh "$(dirname -- "$0")/../../cmake/windows/wine.sh" "$windows" "$windows/map_torture.exe" \
    "Z:$(printf '%s' "$folder" | tr / '\\')\\akv-ekm\\keymap" "${3:-10}"
