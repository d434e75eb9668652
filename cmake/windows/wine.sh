#!/bin/sh
# wine.sh BUILD-FOLDER PROGRAM [ARGUMENT]...: runs a Windows program under Wine without a screen, in the prefix of the build
# folder (or WINEPREFIX), and ends with its exit code. In place of PROGRAM:
#   --begin   makes the prefix if there is none and starts the server: outside of ctest, whose pipe it would hold
#   --end     stops the server
set -eu

build=$(CDPATH='' cd -- "$1" && pwd)
shift
for place in /usr/lib/wine /usr/lib/x86_64-linux-gnu/wine /usr/lib64/wine; do
    [ -x "$place/wine64" ] && PATH=$place:$PATH
done
unset DISPLAY WAYLAND_DISPLAY
WINEPREFIX=${WINEPREFIX:-$build/wine-prefix}
WINEARCH=win64
WINEDEBUG=${WINEDEBUG:--all}
WINEDLLOVERRIDES='mscoree,mshtml,winedbg.exe=d'
LC_ALL=C.UTF-8 # in another character set Wine has no file names beyond it
export PATH WINEPREFIX WINEARCH WINEDEBUG WINEDLLOVERRIDES LC_ALL

quietly() {
    timeout 200 "$@" </dev/null >"$build/wine.log" 2>&1 || {
        cat "$build/wine.log" >&2
        echo "wine.sh: failed: $*" >&2
        exit 1
    }
}

case $1 in
--begin)
    mkdir -p "$WINEPREFIX"
    # Persistent: the first program of a stopped prefix takes half a second, every other one 0.03.
    wineserver64 -p </dev/null >/dev/null 2>&1 || : # it runs already
    if [ ! -f "$WINEPREFIX/akvekm-ready" ]; then
        quietly wine64 wineboot -i
        quietly wine64 winecfg -v win10 # a new prefix says Windows 7
        touch "$WINEPREFIX/akvekm-ready"
    fi
    quietly wine64 wineboot
    ;;
--end)
    wineserver64 -k </dev/null >/dev/null 2>&1 || : # none ran
    ;;
*)
    exec wine64 "$@"
    ;;
esac
