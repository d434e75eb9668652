#!/bin/sh
# A thousand databases start, or run, while the vault or Entra are away in one way or another: none stays behind.
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/storm.sh"

set_up_storm
calm_storm

# The usual time is learnt anew, and asking twice stays within its budget.
setting '"latency_ms":150'
storm 'every response is late'
all_open
[ "$(counter unwrapkey)" -le $((databases + databases / 10 + 5)) ] || fail "$(counter unwrapkey) requests for $databases databases"
setting '"latency_ms":20'

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

# The vault hangs, and a second one holds its key: all open by that, after one line, and none waits for a time-out.
version=$(map | sed -n 's|.*/keys/TdeKey0/||p')
pem=$(pem_of TdeKey0 "$version" | awk '{ printf "%s\\n", $0 }')
ctl POST /keys "{\"vault\":\"second-vault.vault.azure.net\",\"name\":\"TdeKey0\",\"version\":\"$version\",\"pem\":\"$pem\"}" >/dev/null
configure 'second_vault = contoso-vault: second-vault'
fault '"host":"contoso-vault","times":0,"action":"hang"'
storm 'the vault hangs, a second one takes over'
all_open
[ "$(longest recoveries)" -lt 10000 ] || fail 'a database waited for the vault that hangs'
[ "$(grep -c 'the vault is out of reach' "$folder/vault/akv-ekm.log")" = 1 ] || fail 'not one line of the change'
ctl DELETE /faults >/dev/null
configure 'second_vault ='

refused_secret
