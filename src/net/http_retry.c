#include "net/http_retry.h"

#include <string.h>

#include "net/backoff.h"
#include "net/hedge.h"
#include "net/throttle.h"
#include "platform/system.h"

#define LOCAL_WAIT_MS 1000 /* the sources of managed identities want at least so much */
#define LOOKUP_STEPS  2    /* 400, 800 ms at most */

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

/* The code of an answer that does not stand, should time run out during the next try. */
static void fail_by_status(struct call *call, const struct http_request *request, long status)
{
    enum ekm_rc rc = request->to_entra ? EKM_TOKEN_UNAVAILABLE
                     : status == 429   ? EKM_THROTTLED
                     : status >= 500   ? EKM_SERVER_ERROR
                                       : EKM_REQUEST_REFUSED;
    call->error.http_status = status;
    (void)call_fail(call, rc, NULL);
}

/* Whether another try may get another answer. What this one means is set in the call, should time
 * run out during the next. */
static bool retry_answer_passes(struct call *call, const struct http_request *request,
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

/* Whether the try that just ended is repeated, and after which wait. `tries` are those of this
 * request: the waits do not grow with what the call did before. A wait of our own choice takes
 * at most half of what is left: an outage may end within it, and the last try needs time, too. */
static bool plan_repeat(struct call *call, const struct http_request *request,
                        const struct http_response *response, enum ekm_rc rc, unsigned tries,
                        uint64_t *wait_ms)
{
    bool again = rc == EKM_OK ? retry_answer_passes(call, request, response) : ekm_retryable(rc);
    if (!again) {
        *wait_ms = 0;
        return false;
    }
    uint64_t asked_ms =
        rc == EKM_OK ? backoff_retry_after_ms(response->retry_after, plat_unix_time_ms()) : 0;
    uint64_t remaining_ms = call_remaining_ms(call);
    /* A lookup costs its own machine alone: soon after names are back, the call goes on. */
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
    if (request->once && (rc == EKM_OK || response->maybe_sent)) {
        return false;
    }
    return *wait_ms < remaining_ms;
}

/* A repeat shares nothing with what failed: behind one connection there may be a back end that is
 * sick, or nobody any more, and a name may lead elsewhere by now. A 429 is no failure of its
 * connection, but a second one may be. */
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

/* The deadline cut this try off before it ended: the outcome is that of the try before, if there
 * was one. */
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

/* One try, when it is this call's turn at the host, which it may lose while it waits for a
 * connection. A host that refused is asked again by the rules of throttle.h alone, so there is
 * nothing to wait for here. */
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

/* `body` is that of a repeat which needs one of its own. */
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
        (void)http_message_rewrite(call, &next, body); /* else as it was, which may do */
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
