#include "net/http_retry.h"

#include <string.h>

#include "net/backoff.h"
#include "net/hedge.h"
#include "net/throttle.h"
#include "platform/system.h"

#define LOCAL_WAIT_MS 1000 /* the least wait that identity endpoints ask for */
#define LOOKUP_STEPS  2    /* waits of 400, 800 ms at most */

static uint32_t random_number(void)
{
    uint32_t number = 0;
    (void)plat_random(&number, sizeof number);
    return number;
}

void http_retry_reset(void)
{
    throttle_reset();
    hedge_reset();
}

/* Sets the error of a response that is retried. It remains if the time runs out in the next try. */
static void fail_by_status(struct call *call, const struct http_request *request, long status)
{
    enum ekm_rc rc = request->to_entra ? EKM_TOKEN_UNAVAILABLE
                     : status == 429   ? EKM_THROTTLED
                     : status >= 500   ? EKM_SERVER_ERROR
                                       : EKM_REQUEST_REFUSED;
    call->error.http_status = status;
    (void)call_fail(call, rc, NULL);
}

/* Whether a retry may get another response. The meaning of this one is set in the call. It remains
 * if the time runs out in the next try. */
static bool retry_response_passes(struct call *call, const struct http_request *request,
                                  const struct http_response *response)
{
    if (response->status >= 200 && response->status < 300) {
        return false;
    }
    if (request->refusal != NULL) {
        return ekm_retryable(request->refusal(call, response));
    }
    bool passes = backoff_retries_status(response->status);
    if (passes) {
        fail_by_status(call, request, response->status);
    }
    return passes;
}

/* Whether the request is retried, and after which wait. `tries` counts the tries of this request
 * only, so that the waits do not grow with earlier requests of the call. A wait without Retry-After
 * takes at most half of the time that is left: the outage may end during the wait, and the last try
 * needs time as well. */
static bool plan_repeat(struct call *call, const struct http_request *request,
                        const struct http_response *response, enum ekm_rc rc, unsigned tries,
                        uint64_t *wait_ms)
{
    const bool answered = rc == EKM_OK;
    bool again = answered ? retry_response_passes(call, request, response) : ekm_retryable(rc);
    if (!again) {
        *wait_ms = 0;
        return false;
    }
    uint64_t asked_ms =
        answered ? backoff_retry_after_ms(response->retry_after, plat_unix_time_ms()) : 0;
    uint64_t remaining_ms = call_remaining_ms(call);
    /* A lookup burdens only this machine. Short waits let the call go on soon after the name server
     * is back. */
    bool is_lookup = rc == EKM_HOST_NOT_RESOLVED;
    *wait_ms = backoff_delay_ms(is_lookup && tries > LOOKUP_STEPS ? LOOKUP_STEPS : tries,
                                random_number()) +
               (request->local ? LOCAL_WAIT_MS : 0);
    if (*wait_ms > remaining_ms / 2 && remaining_ms > BACKOFF_BASE_MS) {
        *wait_ms = remaining_ms / 2;
    }
    if (asked_ms > *wait_ms) {
        *wait_ms = asked_ms;
    }
    if (request->once && (answered || response->maybe_sent)) {
        return false;
    }
    return *wait_ms < remaining_ms;
}

/* A retry shares nothing with the try that failed: the back end behind the connection may be broken
 * or gone, and the name may have another address by now. A first 429 does not speak against its
 * connection, but a second one may. */
static void retry_plan_anew(struct http_request *next, enum ekm_rc rc, long status, unsigned tries)
{
    next->new_connection = rc != EKM_OK || status != 429 || tries > 1;
    next->new_lookup =
        rc == EKM_HOST_NOT_RESOLVED || rc == EKM_CONNECT_FAILED || rc == EKM_PROXY_UNREACHABLE;
}

static void log_try(struct call *call, const struct http_request *request,
                    const struct http_response *response, enum ekm_rc rc, uint64_t wait_ms)
{
    call_log(call, LEVEL_DEBUG, "try %u of %s: %s, http %ld, again in %llu ms", call->tries,
             request->host, ekm_text(rc), response->status, (unsigned long long)wait_ms);
}

/* If the deadline ended this try, the outcome is that of the try before it, if there was one. */
static enum ekm_rc retry_outcome(struct call *call, const struct call_error *before, enum ekm_rc rc)
{
    if (rc == EKM_DEADLINE && before->rc != EKM_OK) {
        call->error = *before;
        return before->rc;
    }
    return rc;
}

static void retry_release_throttle(const struct http_request *request,
                                   const struct throttle_pass *pass, enum ekm_rc rc,
                                   const struct http_response *response)
{
    enum throttle_outcome result = rc != EKM_OK              ? THROTTLE_FAILED
                                   : response->status == 429 ? THROTTLE_REFUSED
                                                             : THROTTLE_ANSWERED;
    throttle_release(request->host, pass, result,
                     result == THROTTLE_REFUSED
                         ? backoff_retry_after_ms(response->retry_after, plat_unix_time_ms())
                         : 0);
}

/* Waits for the call's turn at the host and makes one try. The call may lose its turn while it
 * waits for a connection; then it waits for another turn. After a 429 throttle.h decides when the
 * host gets the next request, so the wait before the retry is 0. */
static enum ekm_rc try_once(struct call *call, struct http_request *request,
                            struct http_response *response, unsigned tries, bool *again,
                            uint64_t *wait_ms)
{
    struct throttle_pass pass;
    enum ekm_rc rc = EKM_OK;
    bool lost_turn = true;
    *again = false;
    request->pass = &pass;
    while (lost_turn) {
        rc = throttle_acquire(call, request, &pass);
        if (rc != EKM_OK) {
            return rc;
        }
        call_new_try(call);
        rc = http_perform(call, request, response);
        lost_turn = rc == EKM_OK && response->status == 0 && !throttle_stands(request->host, &pass);
        call->tries -= lost_turn; /* it was not sent */
    }
    request->pass = NULL;
    *again = plan_repeat(call, request, response, rc, tries, wait_ms);
    retry_release_throttle(request, &pass, rc, response);
    if (rc == EKM_OK && response->status == 429) {
        throttle_note_word(request->host, &call->error);
        *wait_ms = 0;
    }
    return rc;
}

/* `body` holds the body of a retry that needs its own. */
static enum ekm_rc retry_until_outcome(struct call *call, const struct http_request *request,
                                       struct http_response *response, struct buf *body)
{
    struct http_request next = *request;
    struct call_error before;
    memset(&before, 0, sizeof before);
    for (unsigned tries = 1;; tries++) {
        bool again = false;
        uint64_t wait_ms = 0;
        enum ekm_rc rc = try_once(call, &next, response, tries, &again, &wait_ms);
        if (!again) {
            return retry_outcome(call, &before, rc);
        }
        log_try(call, request, response, rc, wait_ms);
        before = call->error;
        retry_plan_anew(&next, rc, response->status, tries);
        rc = call_sleep(call, wait_ms);
        if (rc != EKM_OK) {
            return rc;
        }
        /* On failure the body is sent again as it was, which may succeed. */
        (void)http_message_rewrite(call, &next, body);
    }
}

enum ekm_rc http_retry_perform(struct call *call, const struct http_request *request,
                               struct http_response *response)
{
    struct buf body = BUF_EMPTY(HTTP_BODY_MAX);
    enum ekm_rc rc = retry_until_outcome(call, request, response, &body);
    buf_free(&body);
    return rc;
}

bool http_retry_try_all(struct call *call, struct http_item *items, size_t count)
{
    const struct call_error before = call->error;
    struct throttle_pass pass;
    for (size_t i = 0; i < count; i++) {
        if (!throttle_try_acquire(items[i].request->host, &pass)) {
            return false;
        }
        items[i].epoch = pass.epoch;
    }
    bool tried = call_check(call) == EKM_OK;
    if (tried) {
        call_new_try(call);
        tried = http_perform_all(call, items, count) == EKM_OK;
    }
    for (size_t i = 0; tried && i < count; i++) {
        pass.epoch = items[i].epoch;
        retry_release_throttle(items[i].request, &pass, items[i].rc, items[i].response);
    }
    call->error = before;
    return tried;
}
