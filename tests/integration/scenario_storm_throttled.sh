#!/bin/sh
# A thousand databases start at a vault that lets 500 unwraps pass in 10 s: all open within the time that takes.
. "$(dirname -- "$0")/scenario.sh"
. "$(dirname -- "$0")/storm.sh"

# Beyond what was let through: at most one refusal for each session and window, and those that ask after a pause.
few_refusals() {
    windows=$((took / 10 + 1))
    [ "$(counter throttled)" -gt 0 ] || fail "$what: nothing was throttled"
    [ "$(counter throttled)" -le $((windows * (sessions + 40))) ] || fail "$what: $(counter throttled) requests were refused"
}

# What is late is sent once more, but not to a vault that throttles.
no_copies() {
    printf '    %s requests were sent once more\n' "$(counter copies)"
    expect_counter copies_throttled 0
}

set_up_storm
setting '"throttle":"hsm","throttle_retry_after":true'
storm 'throttled, with Retry-After'
all_open
few_refusals
no_copies

setting '"throttle_retry_after":false'
# Some responses are late as well.
fault '"path":"unwrapkey","times":0,"action":"delay","delay_ms":1500,"percent":3'
storm 'throttled, without Retry-After'
all_open
few_refusals
no_copies
