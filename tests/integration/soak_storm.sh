#!/bin/sh
# The storms that take long: the limits of the call's time, outages at its edge, tokens that end, other clients of the vault.
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/storm.sh"

run_timeout_s=400
set_up_storm
storm 'nothing is wrong'
all_open
few_requests

fault '"path":"unwrapkey","skip":300,"action":"gone","for_ms":25000'
storm 'gone for 25 s of the 30 that a call has'
all_open

fault '"path":"unwrapkey","skip":300,"times":64,"action":"hang"'
storm 'silent for a try'
all_open
ctl DELETE /faults >/dev/null

setting '"token_lifetime_s":5'
storm 'again and again for 30 s while tokens live 5 s' --storm recover:30
all_open
few_requests
tokens 5
[ "$(counter tokens_issued)" -ge 6 ] || fail 'too few tokens ended'

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
storm 'written to while vault and Entra hang' --storm write:75
all_open
printf '    %s statements, longest %s ms, %s times with the key in memory\n' "$(reported statements)" "$(longest statements)" \
    "$(reported 'times with the key in memory')"
[ "$(failed statements)" = 0 ] || fail "$(failed statements) statements failed"
[ "$(longest statements)" -ge 30000 ] || fail 'no statement waited for the vault'
[ "$(longest statements)" -lt 45000 ] || fail "a statement waited $(longest statements) ms"
ctl DELETE /faults >/dev/null
setting '"token_lifetime_s":3599'

# Others use most of the vault: 40 unwraps in 10 s are left for 64 sessions, and each call has 30 s.
setting '"throttle":"hsm","throttle_percent":8'
for retry_after in true false; do
    setting "\"throttle_retry_after\":$retry_after"
    storm "40 in 10 s, Retry-After $retry_after"
    all_open
done
setting '"throttle":"none","throttle_percent":100'

ctl POST /clients '{"client_id":"11111111-2222-4333-8444-555555555555","secrets":["another"],
    "permissions":["get","wrapKey","unwrapKey"]}' >/dev/null
storm 'the secret is refused for 30 s' --storm recover:30
[ "$(reported 'databases RECOVERY_PENDING')" = "$databases" ] || fail 'databases without a token'
[ "$(counter token_requests)" -le $((1 + took / 10)) ] || fail "$(counter token_requests) tries of a refused secret in $took s"
expect_counter unwrapkey 0
