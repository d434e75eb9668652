#!/bin/sh
# A thousand databases start, or run, while the vault or Entra are away in one way or another: none stays behind.
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/storm.sh"

set_up_storm
storm 'nothing is wrong'
all_open
few_requests
tokens 3599
expect_counter unwrapkey "$databases"

fault '"path":"unwrapkey","skip":300,"action":"gone","for_ms":10000'
storm 'gone for 10 s from the 300th answer on'
all_open
[ "$took" -ge 10 ] || fail 'the vault was not gone'

setting '"token_lifetime_s":5'
storm 'again and again while tokens live 5 s' --storm recover:10
all_open
few_requests
tokens 5
[ "$recovered" -gt "$databases" ] || fail 'the storm was not repeated'
[ "$(counter tokens_issued)" -ge 2 ] || fail 'no token ended'
setting '"token_lifetime_s":3599'

fault '"path":"unwrapkey","times":0,"percent":1.7,"seed":7,"action":"status","status":503'
fault '"path":"unwrapkey","times":0,"percent":1.7,"seed":8,"action":"cut"'
fault '"path":"unwrapkey","times":0,"percent":1.7,"seed":9,"action":"delay","delay_ms":2000'
storm 'one in twenty is refused, cut or late'
all_open
[ "$(counter unwrapkey)" -ge $((databases + 10)) ] || fail 'nothing went wrong'
ctl DELETE /faults >/dev/null

fault '"path":"oauth2","skip":1,"times":0,"action":"hang"'
storm 'Entra is gone while the token is valid'
all_open
few_requests
tokens 3599
ctl DELETE /faults >/dev/null

# Running databases: the start and 500 new log segments pass, then the vault hangs.
configure 'call_timeout_ms = 10000'
fault "\"path\":\"unwrapkey\",\"skip\":$((databases + 500)),\"times\":0,\"action\":\"hang\""
storm 'written to while the vault hangs' --storm write:15
all_open
printf '    %s statements, longest %s ms, %s times with the key in memory\n' "$(reported statements)" "$(longest statements)" \
    "$(reported 'times with the key in memory')"
[ "$(failed statements)" = 0 ] || fail "$(failed statements) statements failed"
[ "$(reported 'times with the key in memory')" -ge "$sessions" ] || fail 'the vault did not hang'
[ "$(longest statements)" -ge 10000 ] || fail 'no statement waited for the vault'
[ "$(longest statements)" -lt 20000 ] || fail "a statement waited $(longest statements) ms"
ctl DELETE /faults >/dev/null
configure 'call_timeout_ms = 30000'
storm 'and back again'
all_open

# A refused secret is one token request in 10 s, whatever the number of databases: more would lock the application out.
ctl POST /clients '{"client_id":"11111111-2222-4333-8444-555555555555","secrets":["another"],
    "permissions":["get","wrapKey","unwrapKey"]}' >/dev/null
storm 'the secret is refused'
[ "$(reported 'databases RECOVERY_PENDING')" = "$databases" ] || fail 'databases without a token'
[ "$(counter token_requests)" -le $((1 + took / 10)) ] || fail "$(counter token_requests) tries of a refused secret in $took s"
expect_counter unwrapkey 0
logged 'Provider error code: 3303\.'
