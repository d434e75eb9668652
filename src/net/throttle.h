/*
 * Orders the calls to a host that throttles: a 429 of one call slows all calls to that host.
 *
 * After a 429 no call is sent for a while (Retry-After, else 400 ms and more, with jitter). Then
 * one is sent, and with each response one more may be in flight, until the host refuses again or
 * nothing waits. The call with the least time left goes first. Owns a small table of hosts.
 * http_retry.c calls it, from any thread.
 */
#ifndef AKVEKM_NET_THROTTLE_H
#define AKVEKM_NET_THROTTLE_H

#include "net/http_message.h"

struct throttle_pass {
    uint64_t epoch; /* the host's number of refusals when this request was sent */
    bool probe;     /* sent although the host asked for a longer pause than the call has time */
};

enum throttle_outcome {
    THROTTLE_ANSWERED, /* with anything but 429 */
    THROTTLE_REFUSED,  /* 429 */
    THROTTLE_FAILED    /* no response: says nothing about the limit */
};

/* Waits for the call's turn. EKM_OK: send now, and hand the pass to throttle_release. EKM_CLOSING;
 * EKM_THROTTLED (EKM_TOKEN_UNAVAILABLE for Entra) if the turn does not come in the call's time; the
 * call's error then has the host's last word, if the call itself got none. */
enum ekm_rc throttle_acquire(struct call *call, const struct http_request *request,
                             struct throttle_pass *pass) EKM_MUST_CHECK;
/* The same without waiting: false while the host throttles. The pass need not be released. */
bool throttle_try_acquire(const char *host, struct throttle_pass *pass);
/* Whether the host refused nothing since the pass was given. */
bool throttle_stands(const char *host, const struct throttle_pass *pass);
/* `asked_ms` is the host's Retry-After, 0 if it had none. */
void throttle_release(const char *host, const struct throttle_pass *pass,
                      enum throttle_outcome outcome, uint64_t asked_ms);

/* Stores what the host said with its 429, for the calls that wait because of it. */
void throttle_note_word(const char *host, const struct call_error *said);

/* Forgets every host. Called at Free. */
void throttle_reset(void);

#endif
