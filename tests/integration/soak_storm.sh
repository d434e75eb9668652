#!/bin/sh
# The storms that take long: the limits of the call's time, outages at its edge, tokens that end, other clients of the vault.
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/storm.sh"

run_timeout_s=400
set_up_storm
calm_storm

fault '"path":"unwrapkey","skip":300,"action":"gone","for_ms":25000'
storm 'gone for 25 s of the 30 that a call has'
all_open

fault '"path":"unwrapkey","skip":300,"times":64,"action":"hang"'
storm 'silent for a try'
all_open
ctl DELETE /faults >/dev/null

short_tokens 30 6

# In the last fifth of the token's life each try to renew it hangs; its caller is let go after 3 s.
setting '"token_lifetime_s":60'
fault '"path":"oauth2","skip":1,"times":0,"action":"hang"'
storm 'Entra hangs when the token is to be renewed' --storm recover:50
all_open
few_requests
[ "$(counter token_requests)" -gt 1 ] || fail 'nobody tried to renew the token'
[ "$(counter token_requests)" -le 4 ] || fail "$(counter token_requests) tries to renew"
ctl DELETE /faults >/dev/null

# Running databases: vault and Entra hang for longer than two calls may take.
setting '"token_lifetime_s":5'
fault "\"skip\":$((databases + 600)),\"times\":0,\"action\":\"hang\""
written_to 'vault and Entra hang' 75 30000 45000
setting '"token_lifetime_s":3599'

# Others use most of the vault: 40 unwraps in 10 s are left for 64 sessions, and each call has 30 s.
setting '"throttle":"hsm","throttle_percent":8'
for retry_after in true false; do
    setting "\"throttle_retry_after\":$retry_after"
    storm "40 in 10 s, Retry-After $retry_after"
    all_open
done
setting '"throttle":"none","throttle_percent":100'

refused_secret --storm recover:30
