#!/bin/sh
# All open connections go silent at once, as when a firewall forgets them: no byte arrives, not even an end. New ones work.
# The request is sent once more over a new connection: no call waits for the end of its try.
. "$(dirname -- "$0")/scenario.sh"
hedge=yes
. "$(dirname -- "$0")/network.sh"

begin
start_relay
new_key TdeKey0 >/dev/null
set_up_provider
set_up_key
around kill -USR1 "$relay_pid"
took=$(longest_ms)
[ "$took" -le 4000 ] || fail "a silent connection cost ${took} ms"
grep -q ' Encrypt .* hedge="won"' "$folder/vault/akv-ekm.log" || fail 'no request was sent once more'
echo "$scenario: answered after ${took} ms"
