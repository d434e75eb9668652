# scale_model.awk: the time that servers that start together need at a vault that admits a number of requests in ten seconds.
#   awk -v header=1 -f scale_model.awk              the names of the columns
#   awk -v turn_ms=20 -f scale_model.awk CASES      a row for each case of scale.sh, beside limit and model
#   awk -v model=1 -f scale_model.awk               up to 1,000 servers of 100 databases, 64 sessions each, at 20 ms
#
# Limit: whole windows, then the rest, with no more requests at a time than there are sessions.
# Model: a window is used up in a burst. The first refusal then asks for a wait in whole seconds; on top the library waits for
# a random part of 100 ms, different in each server, and the first to come back opens the next window. From then on each response
# lets one more request go, so it takes seven round trips until all 64 connections are busy. A window that is never
# used up costs only the round trips.
BEGIN {
    OFS = "\t"
    if (turn_ms == "") turn_ms = 20
    limits["2048"] = 4000; limits["3072"] = 1000; limits["4096"] = 500
    limits["2048h"] = 2000; limits["3072h"] = 500; limits["4096h"] = 250
    if (header) {
        print "key", "servers", "databases each", "sessions each", "limit s", "took s", "took / limit", "model s", "lost", \
            "longest call s", "refusals", "peak MiB", "descriptors", "CPU s"
        exit
    }
    if (model) {
        predict()
        exit
    }
}
function ceil(value, whole) { whole = int(value); return value > whole ? whole + 1 : whole }
# The seconds that these requests take at that rate, if `window` of them may pass in `period` seconds.
function paced(requests, window, period, rate, whole) {
    if (window / rate >= 10) return requests / rate
    whole = ceil(requests / window) - 1
    return whole * period + (requests - whole * window) / rate
}
# turns: a request that finds its connection, and what the processor of one server adds to it
function limit_s(key, servers, databases, sessions) {
    return paced(servers * databases, limits[key], 10, servers * sessions / turn_ms * 1000)
}
function model_s(key, servers, databases, sessions, rate, burst, wait) {
    rate = servers * sessions / turn_ms * 1000
    if (rate > 3000) rate = 3000 # what two processors do, client and vault together
    burst = limits[key] / rate
    wait = ceil(10 - burst) + 0.1 / (servers + 1) + 7 * turn_ms / 1000
    return paced(servers * databases, limits[key], burst + wait, rate) + 3 * turn_ms / 1000
}
# The longest wait among calls that wait at the same time, one of each session.
function wait_s(key, servers, sessions) { return servers * sessions / limits[key] * 10 }
# call_timeout_ms can be 600 s at most.
function predict(count, i, n, row) {
    count = split("50 100 200 500 1000", many, " ")
    print "servers", "RSA 2048", "RSA 2048 (HSM)", "RSA 3072", "RSA 4096", "longest wait of a call, RSA 2048"
    split("2048 2048h 3072 4096", keys, " ")
    for (i = 1; i <= count; i++) {
        row = many[i]
        for (n = 1; n <= 4; n++)
            row = row OFS (wait_s(keys[n], many[i], 64) > 600 ? "" : sprintf("%.1f", model_s(keys[n], many[i], 100, 64)))
        print row, sprintf("%.1f", wait_s("2048", many[i], 64))
    }
}
!header && !model {
    limit = limit_s($1, $2, $3, $4)
    print $1, $2, $3, $4, sprintf("%.1f", limit), sprintf("%.1f", $5 / 1000), sprintf("%.3f", $5 / 1000 / limit), \
        sprintf("%.1f", model_s($1, $2, $3, $4)), $6, sprintf("%.1f", $7 / 1000), $8, sprintf("%.0f", $9 / 1024), $10, \
        sprintf("%.1f", $11 / 1000)
}
