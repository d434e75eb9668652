#!/bin/sh
# After Free no client secret or unwrapped key is anywhere in the memory of the process, the client secret already when its
# last session is closed; nor is a token, but in a few processes with libcurl 7.88 (docs/SECURITY.md). In processes with one life of the provider, as SQL Server has, with the tenants file and
# without; and after many lives in one process. AKVEKM_LIVES: how many processes each.
. "$(dirname -- "$0")/scenario.sh"

start_vault
new_key TdeKey0 >/dev/null
# Every byte turned by 0x55: the process must not be given what it is searched for.
masked=$(printf '%s' "$SECRET" | od -An -v -tu1 | tr -s ' ' '\n' | sed '/^$/d' | while read -r byte; do
    printf '%02x' $((byte ^ 0x55))
done)
unset SECRET

# live LIVES: in a process of its own
live() {
    code=0
    "$build/memory_scan" "$LIBRARY" "$VAULT" TdeKey0 "$masked" "$1" >"$folder/out" 2>"$folder/err" || code=$?
    case $code in
    0) ;;
    2) tokens=$((tokens + 1)) ;;
    *) fail "something is left: $2" ;;
    esac
    has '^[1-9][0-9]* MiB searched'
}

tokens=0
count=${AKVEKM_LIVES:-20}
most=$((count / 3 + 1))
while [ "$count" -gt 0 ]; do
    rm -f "$keymap.tenants"
    live 1 'life without tenants file'
    [ -s "$keymap.tenants" ] || fail 'no tenants file'
    live 1 'life with a tenants file'
    count=$((count - 1))
done
live 20 'twenty lives'
echo "tokens are left in $tokens processes"
[ "$tokens" -le "$most" ] || fail "tokens are left in $tokens processes"
