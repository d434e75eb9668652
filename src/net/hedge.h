/*
 * Decides when a response is late and whether its request may be sent once more. It knows the
 * response times of each host. A budget protects a slow or throttling host from more requests.
 *
 * Rule: specification.md section 7. Owns a small table of hosts. http.c and http_hedge.c call it,
 * from any thread.
 */
#ifndef AKVEKM_NET_HEDGE_H
#define AKVEKM_NET_HEDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/throttle.h"

enum hedge_wait { HEDGE_GET, HEDGE_POST, HEDGE_CONNECT, HEDGE_WAITS };

/* A request that got a response. */
struct hedge_response {
    bool posted, kept; /* kept: over a reused connection */
    long status;
    uint64_t opened_ms; /* of the connection; if reused, of the newest that it may have been */
    uint64_t sent_ms, now_ms;
};
void hedge_note_response(const char *host, const struct hedge_response *answer);

/* The milliseconds after which a response is late. `idle`: its connection was not used for a while.
 * *known: the value comes from the host's own times; otherwise these may be known soon. */
uint64_t hedge_patience_ms(const char *host, enum hedge_wait wait, bool idle, bool *known);

/* A request whose response is late. */
struct hedge_late {
    bool kept;
    uint64_t proven_ms; /* when its connection last worked; 0: not known */
    uint64_t now_ms;
};
/* Whether the request may be sent once more. A permission is counted at once. Hand the pass to
 * throttle_release. */
bool hedge_allow(const char *host, const struct hedge_late *late, struct throttle_pass *pass);

/* A copy got its response before the first request. */
struct hedge_win {
    bool silent;                        /* the first one's reused connection gave no byte */
    uint64_t sent_ms, asked_ms, now_ms; /* when the first request and the first copy were sent */
};
void hedge_note_win(const char *host, const struct hedge_win *win);

/* Whether a connection that last worked at `proven_ms` is probably dead, because others of its age
 * are. */
bool hedge_suspects(const char *host, uint64_t proven_ms);

/* Forgets every host. Called at Free. */
void hedge_reset(void);

#endif
