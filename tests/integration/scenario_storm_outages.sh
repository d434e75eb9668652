#!/bin/sh
# A thousand databases start, or run, while the vault or Entra are away in one way or another: none stays behind.
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/storm.sh"

set_up_storm
calm_storm

fault '"path":"unwrapkey","skip":300,"action":"gone","for_ms":10000'
storm 'gone for 10 s from the 300th answer on'
all_open
[ "$took" -ge 10 ] || fail 'the vault was not gone'

short_tokens 10 2

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
written_to 'the vault hangs' 15 10000 20000
[ "$(reported 'times with the key in memory')" -ge "$sessions" ] || fail 'the vault did not hang'
configure 'call_timeout_ms = 30000'
storm 'and back again'
all_open

refused_secret
