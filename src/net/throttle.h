/*
 * Whose turn it is at a host that throttles: a 429 of one call slows all calls to that host.
 *
 * After a 429 nobody asks for a while (Retry-After, else 400 ms and more, with jitter); then one
 * call does, and with every answer one more at a time, until the host refuses again or all may go.
 * Those whose time ends first go first. Owns a small table of hosts; called by exchange, any
 * thread.
 */
#ifndef AKVEKM_NET_THROTTLE_H
#define AKVEKM_NET_THROTTLE_H

#include "net/http.h"

struct throttle_pass {
    uint64_t epoch; /* how often the host had refused when this request went */
    bool probe;     /* asked although the host wished for more patience than the call had */
};

enum throttle_outcome {
    THROTTLE_ANSWERED, /* with anything but 429 */
    THROTTLE_REFUSED,  /* 429 */
    THROTTLE_FAILED    /* no answer: says nothing about the limit */
};

/* Waits for the call's turn. EKM_OK: ask now, and hand the pass to throttle_release. EKM_CLOSING;
 * EKM_THROTTLED (EKM_TOKEN_UNAVAILABLE at Entra) if the turn does not come in the call's time. */
enum ekm_rc throttle_acquire(struct call *call, const struct http_request *request,
                             struct throttle_pass *pass) EKM_MUST_CHECK;
/* The same without waiting: false while the host is limited. The pass need not be handed back. */
bool throttle_try_acquire(const char *host, struct throttle_pass *pass);
/* Whether the host refused nothing since the pass was given. */
bool throttle_stands(const char *host, const struct throttle_pass *pass);
/* `asked_ms` is the host's Retry-After, 0 if it had none. */
void throttle_release(const char *host, const struct throttle_pass *pass,
                      enum throttle_outcome outcome, uint64_t asked_ms);

/* Forgets every host; at Free. */
void throttle_reset(void);

#endif
