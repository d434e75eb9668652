# What the scenarios of a storm share: a server of $databases encrypted databases, opened by 64 sessions at 20 ms latency, with
# figures from ekmhost's report and vaultsim's counters. Sourced after scenario.sh.
# shellcheck shell=sh

databases=1000
sessions=64
hedge=yes

# The key is RSA 3072: at an HSM key of this size the vault's limit is 500 in 10 s.
set_up_storm() {
    start_vault
    new_key TdeKey0 3072 >/dev/null
    set_up_provider
    set_up_key
    run 0 --make-databases "$databases:TDE_Key" </dev/null
    ctl POST /settings '{"latency_ms":20,"memoise":true}' >/dev/null
}

setting() {
    ctl POST /settings "{$1}" >/dev/null
}

fault() {
    ctl POST /faults "{$1}" >/dev/null
}

# reported WHAT: the first number after it in ekmhost's report; longest WHAT, failed WHAT: the other two
reported() {
    sed -n "s/^report: $1 \([0-9]*\).*/\1/p" "$folder/err"
}

failed() {
    sed -n "s/^report: $1 .*failed \([0-9]*\).*/\1/p" "$folder/err"
}

longest() {
    sed -n "s/^report: $1 .*longest \([0-9]*\) ms$/\1/p" "$folder/err"
}

# storm WHAT [ekmhost options]: a start of the server; $took is how many seconds passed, rounded up
storm() {
    what=$1
    shift
    reset_counters
    began=$(date +%s)
    run 0 --sessions "$sessions" --report "$@" </dev/null
    took=$(($(date +%s) - began + 1))
    recovered=$(reported recoveries)
    printf '%s: %s s, %s recoveries, longest %s ms; %s requests, %s of a token, %s throttled\n' "$what" "$took" "$recovered" \
        "$(longest recoveries)" "$(counter requests)" "$(counter token_requests)" "$(counter throttled)"
    [ "$(counter leaked_secrets)" = 0 ] || fail "$what: a secret went astray"
}

# Every database is open, and was at the end of each round.
all_open() {
    [ "$(reported 'databases ONLINE')" = "$databases" ] || fail "$what: $(reported 'databases ONLINE') of $databases are online"
    [ "$(failed recoveries)" = 0 ] || fail "$what: $(failed recoveries) recoveries failed"
    [ "$recovered" -ge "$databases" ] || fail "$what: $recovered recoveries"
}

# What a recovery needs is one unwrapkey; beside them a challenge and the tokens.
few_requests() {
    needed=$((recovered + 1 + $(counter tokens_issued)))
    [ $(($(counter requests) * 10)) -le $((needed * 12)) ] || fail "$what: $(counter requests) requests, $needed needed"
}

# within_hedges NAME COUNT: so many requests, or what is sent once more of them at most where that does not help: 2 in 100 and
# what may be saved up, specification.md section 7
within_hedges() {
    count=$(counter "$1")
    [ "${count:-0}" -ge "$2" ] && [ "$count" -le $(($2 + $2 / 50 + 5)) ] || fail "$what: $1 counted ${count:-0} times instead of $2"
}

# tokens LIFE_S: one request for each token, and no token before the last fifth of the former one's life
tokens() {
    issued=$(counter tokens_issued)
    [ "$(counter token_requests)" = "$issued" ] || fail "$what: $(counter token_requests) requests for $issued tokens"
    [ "$issued" -ge 1 ] && [ "$issued" -le $((1 + took * 5 / ($1 * 4))) ] || fail "$what: $issued tokens in $took s"
}

# calm_storm: what all others are measured by
calm_storm() {
    storm 'nothing is wrong'
    all_open
    few_requests
    tokens 3599
    within_hedges unwrapkey "$databases"
}

# short_tokens SECONDS COUNT: start after start, so that at least so many tokens are issued
short_tokens() {
    setting '"token_lifetime_s":5'
    storm "again and again for $1 s while tokens live 5 s" --storm "recover:$1"
    all_open
    few_requests
    tokens 5
    [ "$recovered" -gt "$databases" ] || fail 'the storm was not repeated'
    [ "$(counter tokens_issued)" -ge "$2" ] || fail 'too few tokens ended'
    setting '"token_lifetime_s":3599'
}

# written_to WHAT SECONDS LEAST_MS MOST_MS: databases that run, and a fault that comes later; no statement fails, the longest
# takes that long.
written_to() {
    storm "written to while $1" --storm "write:$2"
    all_open
    printf '    %s statements, longest %s ms, %s times with the key in memory\n' "$(reported statements)" \
        "$(longest statements)" "$(reported 'times with the key in memory')"
    [ "$(failed statements)" = 0 ] || fail "$(failed statements) statements failed"
    [ "$(longest statements)" -ge "$3" ] || fail 'no statement waited for the vault'
    [ "$(longest statements)" -lt "$4" ] || fail "a statement waited $(longest statements) ms"
    ctl DELETE /faults >/dev/null
}

# refused_secret [ekmhost options]: one token request in 10 s, whatever the number of databases: more would lock the application
# out
refused_secret() {
    ctl POST /clients '{"client_id":"11111111-2222-4333-8444-555555555555","secrets":["another"],
        "permissions":["get","wrapKey","unwrapKey"]}' >/dev/null
    storm 'the secret is refused' "$@"
    [ "$(reported 'databases RECOVERY_PENDING')" = "$databases" ] || fail 'databases without a token'
    [ "$(counter token_requests)" -le $((1 + took / 10)) ] ||
        fail "$(counter token_requests) tries of a refused secret in $took s"
    expect_counter unwrapkey 0
    logged 'Provider error code: 3303\.'
}
