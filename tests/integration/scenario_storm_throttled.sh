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

set_up_storm
setting '"throttle":"hsm","throttle_retry_after":true'
storm 'throttled, with Retry-After'
all_open
few_refusals

setting '"throttle_retry_after":false'
storm 'throttled, without Retry-After'
all_open
few_refusals
