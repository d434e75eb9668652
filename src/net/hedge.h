/*
 * When an answer is late, and whether its request may be sent once more: what is known of each
 * host, and the budget that keeps a slow or throttling one from more requests.
 *
 * Rule: specification.md section 7. Owns a small table of hosts; called by http.c and
 * http_hedge.c, any thread.
 */
#ifndef AKVEKM_NET_HEDGE_H
#define AKVEKM_NET_HEDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/throttle.h"

enum hedge_wait { HEDGE_GET, HEDGE_POST, HEDGE_CONNECT, HEDGE_WAITS };

/* A request that was answered. */
struct hedge_answer {
    bool posted, kept; /* kept: over a connection that was there before */
    long status;
    uint64_t opened_ms; /* of the connection, or of the youngest that it may have been */
    uint64_t sent_ms, now_ms;
};
void hedge_note_answer(const char *host, const struct hedge_answer *answer);

/* After so long it is late. `idle`: on a connection that nobody used for a while. *known: so the
 * host's answers say; else others may say it soon. */
uint64_t hedge_patience_ms(const char *host, enum hedge_wait wait, bool idle, bool *known);

/* A request whose answer is late. */
struct hedge_late {
    bool kept;
    uint64_t proven_ms; /* when its connection was last in order, 0: not known */
    uint64_t now_ms;
};
/* Whether it may be sent once more, which is counted at once; the pass is for throttle_release. */
bool hedge_allow(const char *host, const struct hedge_late *late, struct throttle_pass *pass);

/* A second answer was there before the first. */
struct hedge_win {
    bool silent;                        /* a kept connection gave no byte of the first */
    uint64_t sent_ms, asked_ms, now_ms; /* when the first was sent, and when once more */
};
void hedge_note_win(const char *host, const struct hedge_win *win);

/* Whether a connection that was last in order then died, as far as one can tell, with others of
 * its age. */
bool hedge_suspects(const char *host, uint64_t proven_ms);

/* Forgets every host; at Free. */
void hedge_reset(void);

#endif
