#!/bin/sh
# Refusals that are not the vault's last word: a good token refused for a moment, pages of front ends and middleboxes.
# No database stays closed that another try would have opened, and none is called damaged.
. "$(dirname -- "$0")/scenario.sh"

set_up
configure 'call_timeout_ms = 4000'
challenge='Bearer authorization=\"https://login.microsoftonline.com/72f988bf-0000-4000-8000-2d7cd011db47\", resource=\"https://vault.azure.net\"'
page='<!DOCTYPE html><html><head><title>Runtime Error</title></head><body>Server Error</body></html>'

fault() {
    ctl POST /faults "$1" >/dev/null
}

# state WANTED: of the database after a start
state() {
    : >"$log"
    sql <<'SQL'
SELECT name, state_desc FROM sys.databases WHERE name = 'DemoTde';
SQL
    has "^DemoTde  *$1\$"
}

# Two refusals of a good token (AKV10046), then all is well.
fault '{"path":"unwrapkey","times":2,"action":"status","status":401,"body":"{\"error\":{\"code\":\"Unauthorized\",\"message\":\"AKV10046: Unable to resolve the key used for signature validation.\"}}","www_authenticate":"'"$challenge"'"}'
state ONLINE

# Two pages of a front end, then all is well.
for status in 400 502 503; do
    fault '{"path":"unwrapkey","times":2,"action":"status","status":'$status',"body":"'"$page"'"}'
    state ONLINE
done

# Pages for ever: closed, but by their own name, with status and content type.
for answer in '400,"body":"'"$page"'"' '302,"location":"https://portal.example.com/"' '403,"body":""' '404,"body":""' '404,"body":"'"$page"'"'; do
    fault '{"path":"unwrapkey","times":0,"action":"status","status":'"$answer"'}'
    state RECOVERY_PENDING
    grep -q ' error .* Decrypt code="5014" .*note="answered with application/json.*http="'"${answer%%,*}"'"' "$log" ||
        fail "$answer: no line with code 5014, status and content type"
    if grep -q -e 'code="5010"' -e 'code="3113"' -e 'code="3112"' -e 'code="4"' -e 'code="3110"' "$log"; then
        fail "$answer got the vault's meaning"
    fi
    ctl DELETE /faults >/dev/null
done

# Refused for ever: the service's own number.
fault '{"path":"unwrapkey","times":0,"action":"status","status":401,"message":"AKV10046: Unable to resolve the key.","www_authenticate":"'"$challenge"'"}'
state RECOVERY_PENDING
grep -q ' error .* Decrypt code="3305" .*akv="AKV10046"' "$log" || fail 'no AKV10046 in the line of 3305'
ctl DELETE /faults >/dev/null

# The login service: a page in its place blames nobody's secret, what it calls transient passes.
fault '{"path":"oauth2","times":2,"action":"status","status":400,"body":"{\"error\":\"temporarily_unavailable\",\"error_description\":\"AADSTS90033: busy\",\"error_codes\":[90033]}"}'
state ONLINE
fault '{"path":"oauth2","times":2,"action":"status","status":503,"body":"'"$page"'"}'
state ONLINE
fault '{"path":"oauth2","times":0,"action":"status","status":403,"body":"'"$page"'"}'
state RECOVERY_PENDING
grep -q ' error .* OpenSession code="3304" .*note="answered with' "$log" || fail 'no 3304 for a page in the place of Entra'
ctl DELETE /faults >/dev/null

database_opens

# A login service that hangs is named by the line.
fault '{"path":"oauth2","times":0,"action":"hang"}'
state RECOVERY_PENDING
grep -q ' error .* OpenSession .*note="login.microsoftonline.com: ' "$log" || fail 'no line names the login host that hangs'
ctl DELETE /faults >/dev/null
database_opens
