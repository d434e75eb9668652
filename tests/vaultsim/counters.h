/*
 * The exact counts that tests assert: requests, connections, handshakes, tokens, leaks, responses
 * from memory.
 *
 * One record under one lock; any thread.
 */
#ifndef VAULTSIM_COUNTERS_H
#define VAULTSIM_COUNTERS_H

#include <cjson/cJSON.h>

enum counter {
    COUNT_REQUESTS,
    COUNT_CONNECTIONS,
    COUNT_HANDSHAKES,
    COUNT_TOKENS_ISSUED,
    COUNT_TOKEN_REQUESTS,
    COUNT_CHALLENGES,
    COUNT_THROTTLED,
    COUNT_LEAKED_SECRETS,
    COUNT_MEMOISED,
    COUNT_RESUMPTIONS,      /* of the handshakes */
    COUNT_COPIES,           /* see copies.h */
    COUNT_COPIES_THROTTLED, /* of them, at a host that refuses for its limit */
    COUNTER_COUNT
};

void counters_add(enum counter counter);
/* Counts one request whose headers have arrived: requests, by[operation] and by_host[host]. */
void counters_request(const char *operation, const char *host);
cJSON *counters_to_json(void);
void counters_reset(void);

#endif
