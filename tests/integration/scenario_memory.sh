#!/bin/sh
# After Free no client secret, token or unwrapped key stands anywhere in the memory of the process, but for a few tokens in
# heads of requests, which the system's libcurl freed as it was (docs/security.md).
. "$(dirname -- "$0")/scenario.sh"

start_vault
new_key TdeKey0 >/dev/null
# Every byte turned by 0x55: the process must not be given what it is searched for.
masked=$(printf '%s' "$SECRET" | od -An -v -tu1 | tr -s ' ' '\n' | sed '/^$/d' | while read -r byte; do
    printf '%02x' $((byte ^ 0x55))
done)
unset SECRET
"$build/memory_scan" "$LIBRARY" "$VAULT" TdeKey0 "$masked" 20 4 >"$folder/out" 2>"$folder/err" ||
    fail 'something is left'
has '^[1-9][0-9]* MiB searched'
