#!/bin/sh
# The process ends while eight threads are in calls, 20 times: soon, with its own exit code. Windows kills the threads first, perhaps
# with locks of OpenSSL in their hands, so nobody may clean up then.
. "$(dirname -- "$0")/../integration/scenario.sh"

begin
wine_limit=30
new_key TdeKey0 >/dev/null
for how in exit ExitProcess; do
    for round in 1 2 3 4 5 6 7 8 9 10; do
        wine "$windows/exit_in_calls.exe" "$LIBRARY" "$VAULT" "$SECRET" TdeKey0 "$how" >"$folder/out" 2>"$folder/err" &&
            code=0 || code=$?
        [ "$code" -eq 77 ] || fail "$how, round $round: exit code $code, not 77"
    done
done
