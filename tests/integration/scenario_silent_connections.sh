#!/bin/sh
# All open connections go silent at once, as when a firewall forgets them: nothing comes, not even an end. New ones are served.
# It costs one try, and no call.
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/network.sh"

begin
start_relay
new_key TdeKey0 >/dev/null
set_up_provider
set_up_key
configure 'try_timeout_ms = 3000'
around kill -USR1 "$relay_pid"
took=$(longest_ms)
[ "$took" -ge 2900 ] || fail "the connections were not silent: ${took} ms"
[ "$took" -le 20000 ] || fail "one try of 3 s cost ${took} ms"
echo "$scenario: reopened after ${took} ms with a try of 3000 ms"
