#include "vault/token.h"

#include <string.h>

#include "base/text.h"
#include "base/whole_file.h"
#include "platform/system.h"
#include "vault/credential_slots.h"

#define REFUSAL_MS     10000
#define EARLY_AGAIN_MS 30000 /* from a failed early try to the next */
#define RENEWALS_MAX   3     /* how often one call uses a proof file that was renewed */
#define EARLY_PATIENCE_MS                                                                          \
    3000                  /* what an early renewal may cost its caller, which has a valid token */
#define MORE_TIME_MS 1000 /* a call whose deadline is later than this fetches again */

static struct plat_cond fetched_one = PLAT_COND_INIT;

static enum ekm_rc token_from_value(struct call *call, const struct token_fetch *fetch,
                                    const struct token_value *value, struct token **token)
{
    *token = token_make(value, fetch->request.asked_ms, fetch->credential->who.form);
    return *token != NULL ? EKM_OK : call_fail(call, EKM_OUT_OF_MEMORY, NULL);
}

/* Gets a token of another identity, for a form of sign-in that needs one. */
static enum ekm_rc token_of_identity(struct call *call, const struct sign_in *who,
                                     const struct challenge *where, struct token **token)
{
    struct credential *identity = NULL;
    enum ekm_rc rc = credential_of(call, who, &identity);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = token_get(call, identity, where, token);
out:
    credential_release(identity);
    return rc;
}

static enum ekm_rc token_prepare_request(struct call *call, struct token_fetch *fetch)
{
    return token_request_make(call, &fetch->credential->who, &fetch->credential->secret,
                              &fetch->where, token_of_identity, &fetch->request);
}

static enum ekm_rc fetch_now(struct call *call, struct token_fetch *fetch, struct token **token)
{
    struct token_value value;
    token_value_init(&value);
    enum ekm_rc rc = token_prepare_request(call, fetch);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = token_request_perform(call, &fetch->request, &value);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = token_from_value(call, fetch, &value, token);
out:
    credential_learn(call, fetch->credential, fetch->request.expiry_s);
    token_value_free(&value);
    token_request_free(&fetch->request);
    return rc;
}

/* The fetch of another caller that this caller waits for. */
struct wait {
    bool joined;
    uint64_t flight;
};

enum step { USE, RENEW, FETCH, WAIT, FAIL };

/* Under the lock: whether the last fetch failed for a reason that concerns other callers too. An
 * abort, a deadline or a lack of memory concerns only its own caller. */
static bool is_news(const struct token_slot *slot)
{
    switch (slot->failure.rc) {
    case EKM_OK:
    case EKM_CLOSING:
    case EKM_DEADLINE:
    case EKM_OUT_OF_MEMORY:
        return false;
    default:
        return true;
    }
}

/* Under the lock: whether this caller's own fetch would fail like the last one. A transient failure
 * is shared only with callers whose deadline is no later. */
static bool is_shared(const struct token_slot *slot, const struct call *call)
{
    return is_news(slot) && (!ekm_retryable(slot->failure.rc) ||
                             call->deadline_ms <= slot->failure_deadline_ms + MORE_TIME_MS);
}

/* Under the lock: whether the fetch that this caller waited for has ended. */
static bool has_ended(const struct token_slot *slot, const struct wait *wait)
{
    return wait->joined && slot->flights != wait->flight;
}

/* Under the lock. */
static enum step next_step(const struct token_slot *slot, const struct call *call,
                           const struct wait *wait, uint64_t now_ms)
{
    bool valid = slot->current != NULL && now_ms < slot->current->expires_ms;
    if (valid && now_ms >= slot->current->renew_ms && !slot->fetching &&
        now_ms >= slot->next_early_ms) {
        return RENEW;
    }
    if (valid) {
        return USE;
    }
    if (now_ms < slot->refused_until_ms) {
        return FAIL;
    }
    if (slot->fetching) {
        return WAIT;
    }
    return has_ended(slot, wait) && is_shared(slot, call) ? FAIL : FETCH;
}

/* Under the lock: decides what to do, and waits while another caller fetches, or while fetches for
 * other tenants take up all slots. `token` gets a reference for USE and RENEW. The slot is looked
 * up again each time, because during a wait it may go to another tenant. */
static enum step token_decide(struct call *call, struct credential *credential,
                              const struct challenge *where, struct token_slot **place,
                              struct token **token)
{
    struct wait wait = {false, 0};
    for (;;) {
        struct token_slot *slot = *place = credential_slot(credential, where);
        enum step step = slot != NULL ? next_step(slot, call, &wait, plat_now_ms()) : WAIT;
        if (step == USE || step == RENEW) {
            *token = token_hold(slot->current);
        }
        if (step == FAIL) {
            call->error = slot->failure;
        }
        if (step != WAIT) {
            slot->fetching = slot->fetching || step == RENEW || step == FETCH;
            return step;
        }
        if (call_check(call) != EKM_OK) {
            if (call->error.rc == EKM_DEADLINE && slot != NULL && has_ended(slot, &wait) &&
                is_news(slot)) {
                call->error = slot->failure;
            }
            return FAIL;
        }
        if (slot != NULL && !wait.joined) {
            wait.joined = true;
            wait.flight = slot->flights;
        }
        plat_cond_wait_until(&fetched_one, &token_lock, plat_now_ms() + CALL_SLICE_MS);
    }
}

/* Under the lock: wakes the callers that wait. */
static void end_flight(struct token_slot *slot)
{
    slot->fetching = false;
    slot->flights++;
    memset(&slot->failure, 0, sizeof slot->failure);
    plat_cond_broadcast(&fetched_one);
}

/* Under the lock: stores a fresh token for all callers. */
static void token_settle_fresh(struct token_slot *slot, struct token *fresh)
{
    end_flight(slot);
    slot->next_early_ms = 0;
    token_release(slot->current);
    slot->current = token_hold(fresh);
    credential_watch(fresh);
    slot->refused_until_ms = 0;
}

/* Under the lock: stores the failure `rc` of a fetch for all callers. */
static void token_settle_failure(struct token_slot *slot, const struct call *call, enum ekm_rc rc,
                                 uint64_t proof)
{
    uint64_t now_ms = plat_now_ms();
    end_flight(slot);
    slot->next_early_ms = now_ms + EARLY_AGAIN_MS;
    slot->failure = call->error;
    slot->failure.rc = rc;
    slot->failure_deadline_ms = call->deadline_ms;
    if (token_is_refusal(rc)) {
        slot->refused_until_ms = now_ms + REFUSAL_MS;
        slot->refused_proof = proof;
    }
}

/* Fetches for all callers that wait. An early renewal may take only a little of its caller's time,
 * and may fail. */
static enum ekm_rc fetch_for_all(struct call *call, struct credential *credential,
                                 struct token_slot *slot, bool early, struct token **token)
{
    struct token *fresh = NULL;
    struct token_fetch fetch = {.credential = credential, .where = slot->where};
    uint64_t deadline_ms = call->deadline_ms, early_ms = plat_now_ms() + EARLY_PATIENCE_MS;
    unsigned tries = call->tries;
    if (early && early_ms < deadline_ms) {
        call->deadline_ms = early_ms;
    }
    enum ekm_rc rc = fetch_now(call, &fetch, &fresh);
    plat_mutex_lock(&token_lock);
    if (rc == EKM_OK) {
        token_settle_fresh(slot, fresh);
    } else {
        token_settle_failure(slot, call, rc, fetch.request.proof);
    }
    plat_mutex_unlock(&token_lock);
    call->deadline_ms = deadline_ms;
    if (rc == EKM_OK) {
        /* Releases this call's reference; the slot's is released above. The analyzer does not
         * follow the count. */
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        token_release(*token);
        *token = fresh;
        return EKM_OK;
    }
    if (!early) {
        return rc;
    }
    call_log(call, LEVEL_INFO, "early renewal of the token failed: %s", ekm_text(rc));
    call->tries = tries;
    call_clear_error(call);
    return call_aborted(call) ? call_check(call) : EKM_OK;
}

/* Whether the refused proof was a file that has changed since, so that another request is worth it:
 * the file may have been half written, or the right one may have come since. If this call itself
 * made the request, it gives the writer a moment. */
static bool token_is_renewed(struct call *call, struct credential *credential,
                             const struct challenge *where, bool has_asked)
{
    const struct call_error before = call->error;
    plat_mutex_lock(&token_lock);
    struct token_slot *slot = credential_slot(credential, where);
    uint64_t refused = slot != NULL ? slot->refused_proof : 0, now = refused;
    plat_mutex_unlock(&token_lock);
    for (int i = 0; refused != 0 && now == refused; i++) {
        now = token_request_proof(call, &credential->who);
        if (!has_asked || i == WHOLE_FILE_TRIES) {
            break;
        }
        if (now == refused && call_sleep(call, WHOLE_FILE_WAIT_MS) != EKM_OK) {
            call->error = before;
            return false;
        }
    }
    if (now == refused || now == 0) {
        return false;
    }
    plat_mutex_lock(&token_lock);
    slot = credential_slot(credential, where);
    if (slot != NULL && slot->refused_proof == refused) {
        slot->refused_until_ms = 0;
    }
    plat_mutex_unlock(&token_lock);
    return true;
}

static enum ekm_rc token_try(struct call *call, struct credential *credential,
                             const struct challenge *challenge, struct token **out, bool *has_asked)
{
    struct token *token = NULL;
    struct token_slot *slot = NULL;
    enum ekm_rc rc = EKM_OK;
    plat_mutex_lock(&token_lock);
    enum step step = token_decide(call, credential, challenge, &slot, &token);
    plat_mutex_unlock(&token_lock);
    *has_asked = step == FETCH;
    if (step == FAIL) {
        rc = call->error.rc;
    } else if (step == FETCH || step == RENEW) {
        rc = fetch_for_all(call, credential, slot, step == RENEW, &token);
    }
    if (rc != EKM_OK) {
        token_release(token);
        return rc;
    }
    *out = token;
    return EKM_OK;
}

enum ekm_rc token_get(struct call *call, struct credential *credential,
                      const struct challenge *challenge, struct token **out)
{
    *out = NULL;
    for (int i = 0;; i++) {
        bool has_asked = false;
        enum ekm_rc rc = token_try(call, credential, challenge, out, &has_asked);
        if (!token_is_refusal(rc) || i == RENEWALS_MAX ||
            !token_is_renewed(call, credential, challenge, has_asked)) {
            return rc;
        }
        call_clear_error(call);
    }
}

bool token_reject(struct credential *credential, const struct challenge *challenge,
                  const struct token *token, uint64_t age_ms)
{
    uint64_t now_ms = plat_now_ms();
    plat_mutex_lock(&token_lock);
    struct token_slot *slot = credential_slot(credential, challenge);
    bool is_current = slot != NULL && slot->current == token;
    bool is_soon =
        credential->replaced_ms != 0 && now_ms < credential->replaced_ms + TOKEN_AGAIN_MS;
    bool may_drop = is_current && !is_soon && now_ms >= token->made_ms + age_ms;
    if (may_drop) {
        token_release(slot->current);
        slot->current = NULL;
        credential->replaced_ms = now_ms;
    }
    plat_mutex_unlock(&token_lock);
    return may_drop || !is_current;
}

/* Under the lock: takes over the slot's fetch, if one is needed and no other call does it. */
static enum token_flight take_flight(struct call *call, struct token_fetch *fetch)
{
    const struct wait alone = {false, 0};
    struct token_slot *slot = credential_slot(fetch->credential, &fetch->where);
    enum step step = slot != NULL ? next_step(slot, call, &alone, plat_now_ms()) : FAIL;
    if (step == WAIT) {
        return TOKEN_FLIGHT_OTHERS;
    }
    if (step != FETCH) {
        return TOKEN_FLIGHT_NONE;
    }
    slot->fetching = true;
    fetch->slot = slot;
    return TOKEN_FLIGHT_OWN;
}

enum token_flight token_fetch_begin(struct call *call, struct credential *credential,
                                    const struct challenge *challenge, struct token_fetch *out)
{
    const struct call_error before = call->error;
    memset(out, 0, sizeof *out);
    out->credential = credential;
    out->where = *challenge;
    plat_mutex_lock(&token_lock);
    enum token_flight flight = take_flight(call, out);
    plat_mutex_unlock(&token_lock);
    if (flight == TOKEN_FLIGHT_OWN && token_prepare_request(call, out) != EKM_OK) {
        (void)token_fetch_end(call, out, NULL);
        call->error = before;
        flight = TOKEN_FLIGHT_NONE;
    }
    return flight;
}

static enum ekm_rc token_read_response(struct call *call, struct token_fetch *fetch,
                                       const struct http_response *response, struct token **token)
{
    struct token_value value;
    token_value_init(&value);
    enum ekm_rc rc = token_request_read(call, &fetch->request, response, &value);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = token_from_value(call, fetch, &value, token);
out:
    token_value_free(&value);
    return rc;
}

bool token_fetch_end(struct call *call, struct token_fetch *fetch,
                     const struct http_response *response)
{
    struct token *fresh = NULL;
    const struct call_error before = call->error;
    enum ekm_rc rc =
        response != NULL ? token_read_response(call, fetch, response, &fresh) : EKM_NO_ANSWER;
    credential_learn(call, fetch->credential, fetch->request.expiry_s);
    plat_mutex_lock(&token_lock);
    if (rc == EKM_OK) {
        token_settle_fresh(fetch->slot, fresh);
    } else if (token_is_refusal(rc)) {
        token_settle_failure(fetch->slot, call, rc, fetch->request.proof);
    } else {
        end_flight(fetch->slot);
    }
    plat_mutex_unlock(&token_lock);
    token_release(fresh);
    token_request_free(&fetch->request);
    call->error = before;
    return rc == EKM_OK;
}
