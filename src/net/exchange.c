#include "net/exchange.h"

#include <string.h>

#include "base/text.h"
#include "net/retry.h"
#include "platform/system.h"
#include "platform/thread.h"

#define HOSTS    16
#define PROBE_MS 1000

/* Until when a host asked to be left alone: a 429 of one call slows all calls to that vault. */
static struct {
    struct plat_mutex mutex;
    struct {
        char host[254];
        uint64_t not_before_ms, probe_ms;
    } wishes[HOSTS];
} patience = {.mutex = PLAT_MUTEX_INIT};

static void remember_wish(const char *host, uint64_t not_before_ms)
{
    plat_mutex_lock(&patience.mutex);
    size_t at = 0;
    for (size_t i = 0; i < HOSTS; i++) {
        if (strcmp(patience.wishes[i].host, host) == 0) {
            at = i;
            break;
        }
        if (patience.wishes[i].not_before_ms < patience.wishes[at].not_before_ms) {
            at = i;
        }
    }
    if (strcmp(patience.wishes[at].host, host) != 0) {
        (void)text_copy(patience.wishes[at].host, sizeof patience.wishes[at].host, host);
        patience.wishes[at].not_before_ms = 0;
    }
    if (patience.wishes[at].not_before_ms < not_before_ms) {
        patience.wishes[at].not_before_ms = not_before_ms;
    }
    plat_mutex_unlock(&patience.mutex);
}

static uint64_t wished_ms(const char *host)
{
    uint64_t not_before_ms = 0;
    plat_mutex_lock(&patience.mutex);
    for (size_t i = 0; i < HOSTS; i++) {
        if (strcmp(patience.wishes[i].host, host) == 0) {
            not_before_ms = patience.wishes[i].not_before_ms;
        }
    }
    plat_mutex_unlock(&patience.mutex);
    return not_before_ms;
}

void exchange_reset(void)
{
    plat_mutex_lock(&patience.mutex);
    memset(patience.wishes, 0, sizeof patience.wishes);
    plat_mutex_unlock(&patience.mutex);
}

static uint32_t random_number(void)
{
    uint32_t number = 0;
    (void)plat_random(&number, sizeof number);
    return number;
}

/* Whether a call that cannot wait as long as the host wishes may ask all the same: one a second, so
 * that an end of the throttling is noticed. */
static bool may_probe(const char *host, uint64_t now_ms)
{
    bool may = true;
    plat_mutex_lock(&patience.mutex);
    for (size_t i = 0; i < HOSTS; i++) {
        if (strcmp(patience.wishes[i].host, host) == 0) {
            may = now_ms >= patience.wishes[i].probe_ms;
            patience.wishes[i].probe_ms = may ? now_ms + PROBE_MS : patience.wishes[i].probe_ms;
        }
    }
    plat_mutex_unlock(&patience.mutex);
    return may;
}

/* A probe was answered: the wish, which reaches beyond `deadline_ms`, is over. A shorter one
 * stands, it only paces. */
static void end_wish(const char *host, uint64_t deadline_ms)
{
    plat_mutex_lock(&patience.mutex);
    for (size_t i = 0; i < HOSTS; i++) {
        if (strcmp(patience.wishes[i].host, host) == 0 &&
            patience.wishes[i].not_before_ms >= deadline_ms) {
            patience.wishes[i].not_before_ms = 0;
        }
    }
    plat_mutex_unlock(&patience.mutex);
}

/* Waits out another call's 429, and a little longer so that not all come back at once. Where the
 * wish reaches beyond this call's own deadline, it fails at once unless it is the one that probes.
 */
static enum ekm_rc respect_wish(struct call *call, const struct http_request *request)
{
    uint64_t not_before_ms = wished_ms(request->host), now_ms = plat_now_ms();
    if (not_before_ms <= now_ms) {
        return EKM_OK;
    }
    if (not_before_ms >= call->deadline_ms) {
        return may_probe(request->host, now_ms)
                   ? EKM_OK
                   : call_fail(call, request->to_entra ? EKM_TOKEN_UNAVAILABLE : EKM_THROTTLED,
                               "%s asked for patience beyond this call's time", request->host);
    }
    uint64_t wait_ms = not_before_ms - now_ms + random_number() % RETRY_BASE_MS;
    if (wait_ms >= call_remaining_ms(call)) {
        wait_ms = not_before_ms - now_ms;
    }
    return call_sleep(call, wait_ms);
}

/* Whether the try that just ended is repeated, and after which wait (set anyway). `tries` are those
 * of this request: the waits do not grow with what the call did before. */
static bool plan_repeat(const struct call *call, const struct http_request *request,
                        const struct http_answer *answer, enum ekm_rc rc, unsigned tries,
                        uint64_t *wait_ms)
{
    bool again = rc == EKM_OK ? retry_status(answer->status) : ekm_retryable(rc);
    uint64_t asked_ms = rc == EKM_OK ? retry_after_ms(answer->retry_after, plat_unix_time_ms()) : 0;
    *wait_ms = retry_delay_ms(tries, random_number());
    if (asked_ms > *wait_ms) {
        *wait_ms = asked_ms;
    }
    if (request->once && (rc == EKM_OK || answer->maybe_sent)) {
        return false;
    }
    return again && *wait_ms < call_remaining_ms(call);
}

static void log_try(struct call *call, const struct http_request *request,
                    const struct http_answer *answer, enum ekm_rc rc, uint64_t wait_ms)
{
    call_log(call, LEVEL_DEBUG, "try %u of %s: %s, http %ld, again in %llu ms", call->tries,
             request->host, ekm_text(rc), answer->status, (unsigned long long)wait_ms);
}

/* The deadline cut this try off before it ended: the outcome is that of the try before, if there
 * was one. */
static enum ekm_rc outcome(struct call *call, const struct call_error *before, enum ekm_rc rc)
{
    if (rc == EKM_DEADLINE && before->rc != EKM_OK) {
        call->error = *before;
        return before->rc;
    }
    return rc;
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

enum ekm_rc exchange_perform(struct call *call, const struct http_request *request,
                             struct http_answer *answer)
{
    struct call_error before;
    memset(&before, 0, sizeof before);
    for (unsigned tries = 1;; tries++) {
        enum ekm_rc rc = respect_wish(call, request);
        if (rc == EKM_OK) {
            rc = call_check(call);
        }
        if (rc != EKM_OK) {
            return outcome(call, &before, rc);
        }
        call_new_try(call);
        rc = http_perform(call, request, answer);
        uint64_t wait_ms = 0;
        bool again = plan_repeat(call, request, answer, rc, tries, &wait_ms);
        if (rc == EKM_OK && answer->status == 429) {
            remember_wish(request->host, plat_now_ms() + wait_ms);
        } else if (rc == EKM_OK) {
            end_wish(request->host, call->deadline_ms);
        }
        if (!again) {
            return outcome(call, &before, rc);
        }
        log_try(call, request, answer, rc, wait_ms);
        if (rc == EKM_OK) {
            fail_by_status(call, request, answer->status);
        }
        before = call->error;
        rc = call_sleep(call, wait_ms);
        if (rc != EKM_OK) {
            return rc;
        }
    }
}

bool exchange_try_all(struct call *call, struct http_item *items, size_t count)
{
    const struct call_error before = call->error;
    uint64_t now_ms = plat_now_ms();
    for (size_t i = 0; i < count; i++) {
        if (wished_ms(items[i].request->host) > now_ms) {
            return false;
        }
    }
    bool tried = call_check(call) == EKM_OK && http_perform_all(call, items, count) == EKM_OK;
    for (size_t i = 0; tried && i < count; i++) {
        uint64_t wait_ms = 0;
        (void)plan_repeat(call, items[i].request, items[i].answer, items[i].rc, 1, &wait_ms);
        if (items[i].rc == EKM_OK && items[i].answer->status == 429) {
            remember_wish(items[i].request->host, plat_now_ms() + wait_ms);
        }
    }
    call->error = before;
    return tried;
}
