#!/bin/sh
# 200 lives of the provider in one process, each with session, key, wrap and unwrap: the process ends well and no handle is left
# open, and no client secret, token or unwrapped key is anywhere in its memory.
. "$(dirname -- "$0")/../integration/scenario.sh"

begin
wine_limit=500
new_key TdeKey0 >/dev/null
# Every byte turned by 0x55: the process must not be given what it is searched for.
masked=$(printf '%s' "$SECRET" | od -An -v -tu1 | tr -s ' ' '\n' | sed '/^$/d' | while read -r byte; do
    printf '%02x' $((byte ^ 0x55))
done)
unset SECRET client_secret
wine "$windows/memory_scan.exe" "$LIBRARY" "$VAULT" TdeKey0 "$masked" 200 >"$folder/out" 2>"$folder/err" ||
    fail "exit code $?: something is left"
has '^[1-9][0-9]* MiB searched'
client_secret='Sim~Secret-0.with_hyphens-1'
