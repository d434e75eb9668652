#include "vault/vault_request.h"

#include "base/text.h"
#include "platform/system.h"
#include "vault/vault_perform.h"
#include "vault/vault_status.h"
#include "vault/wire.h"

static enum ekm_rc vault_request_enter(struct call *call, const struct vault *vault,
                                       struct token **token)
{
    struct vault_auth auth = {.guessed = false};
    enum ekm_rc rc = vault_auth_find_challenge(call, vault, &auth);
    if (rc != EKM_OK) {
        return rc;
    }
    return vault_auth_find_token(call, vault, &auth, token);
}

enum ekm_rc vault_request_open(struct call *call, const struct vault *vault)
{
    struct token *token = NULL;
    enum ekm_rc rc = vault_request_enter(call, vault, &token);
    token_release(token);
    return rc;
}

enum ekm_rc vault_request_try_all(struct call *call, const struct vault *vault,
                                  struct http_request *requests, struct http_item *items,
                                  size_t count, bool *tried)
{
    struct token *token = NULL;
    *tried = false;
    enum ekm_rc rc = vault_request_enter(call, vault, &token);
    if (rc != EKM_OK) {
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        requests[i].host = vault->address.host;
        requests[i].authorization = token_header(token);
    }
    *tried = vault_perform_all(call, vault->address.host, items, count);
    for (size_t i = 0; i < count; i++) {
        requests[i].authorization = NULL;
    }
out:
    token_release(token);
    return rc;
}

/* The 401s of a call. */
struct refusals {
    unsigned count, renewals;
    uint64_t renew_after_ms; /* no new token before this time */
    struct call_error last;
};

#define AKV_INVALID_AUDIENCE  10022
#define AKV_INVALID_ISSUER    10032
#define AKV_NO_SIGNING_KEY    10046 /* sometimes sent to valid tokens too */
#define REFUSALS_SAME_TOKEN   3     /* after so many with AKV10046 another token is tried */
#define REFUSAL_PAUSE_MS      100   /* doubles up to REFUSAL_PAUSE_MOST_MS */
#define REFUSAL_PAUSE_MOST_MS 1000

/* Reads a 401 to a request with a token. The vault's error stays in the call. *said is the
 * challenge to use from now on. EKM_OK: another try may help. */
static enum ekm_rc request_read_refusal(struct call *call, const struct vault *vault,
                                        const struct vault_auth *auth,
                                        const struct http_response *response,
                                        struct challenge *said)
{
    bool is_own = false;
    enum ekm_rc rc = wire_read_error(call, &response->body, &is_own);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = challenge_parse(call, &vault->address, response->authenticate, said);
    call->error.http_status = response->status;
    (void)text_copy(call->error.request_id, sizeof call->error.request_id, response->request_id);
    if (rc == EKM_OK) {
        challenge_remember(vault->address.host, said);
        return EKM_OK;
    }
    if (rc == EKM_CHALLENGE_FOREIGN) {
        return rc;
    }
    if (call->error.akv == AKV_NO_SIGNING_KEY) {
        *said = auth->challenge; /* the vault refuses this token, not its issuer */
        return EKM_OK;
    }
    return vault_is_page(response, is_own) ? vault_fail_foreign(call, response, EKM_NOT_VAULT)
                                           : call_fail(call, EKM_UNAUTHORIZED, NULL);
}

/* Whether the next try uses another token. A token with the wrong issuer or audience never becomes
 * valid: *final, if there is no other one. */
static bool request_renew_token(const struct call *call, const struct vault *vault,
                                const struct vault_auth *auth, const struct token *token,
                                struct refusals *past, bool *final)
{
    uint32_t akv = call->error.akv;
    uint64_t now_ms = plat_now_ms();
    bool is_wrong = akv == AKV_INVALID_AUDIENCE || akv == AKV_INVALID_ISSUER;
    bool is_due = akv == AKV_NO_SIGNING_KEY ? past->count % REFUSALS_SAME_TOKEN == 0
                                            : now_ms >= past->renew_after_ms;
    bool renewed = is_due && !(is_wrong && past->renewals > 0) &&
                   token_reject(vault->credential, &auth->challenge, token,
                                akv == AKV_NO_SIGNING_KEY ? TOKEN_AGAIN_MS : 0);
    *final = is_wrong && !renewed;
    if (renewed) {
        past->renew_after_ms = now_ms + (uint64_t)TOKEN_AGAIN_MS * ((uint64_t)1 << past->renewals);
        past->renewals += past->renewals < 3;
    }
    return renewed;
}

static uint64_t request_pause_ms(const struct refusals *past)
{
    uint32_t number = 0;
    uint64_t most = REFUSAL_PAUSE_MS;
    (void)plat_random(&number, sizeof number);
    for (unsigned i = 0; i < past->count && most < REFUSAL_PAUSE_MOST_MS; i++) {
        most *= 2;
    }
    return 1 + number % (most < REFUSAL_PAUSE_MOST_MS ? most : REFUSAL_PAUSE_MOST_MS);
}

/* Called after a 401 to this token. EKM_OK: the next try is due, with a new token if one may help.
 * Otherwise the outcome of the request. */
static enum ekm_rc request_after_refusal(struct call *call, const struct vault *vault,
                                         struct vault_auth *auth, const struct token *token,
                                         const struct http_response *response,
                                         struct refusals *past)
{
    struct challenge said;
    bool final = false;
    enum ekm_rc rc = request_read_refusal(call, vault, auth, response, &said);
    if (rc != EKM_OK) {
        return rc;
    }
    past->count++;
    (void)call_fail(call, EKM_TOKEN_REJECTED, NULL);
    past->last = call->error;
    bool has_moved = !vault_auth_same_tenant(&said, &auth->challenge);
    bool renewed = !has_moved && request_renew_token(call, vault, auth, token, past, &final);
    auth->challenge = said;
    auth->guessed = false;
    if (final) {
        return EKM_TOKEN_REJECTED;
    }
    call_log(call, LEVEL_DEBUG, "the vault refused the token: AKV%u, %s", (unsigned)past->last.akv,
             has_moved ? "it names another tenant"
             : renewed ? "another token"
                       : "once more");
    if (past->count == 1 && (has_moved || renewed)) {
        return EKM_OK;
    }
    uint64_t pause_ms = request_pause_ms(past);
    return pause_ms < call_remaining_ms(call) ? call_sleep(call, pause_ms) : EKM_TOKEN_REJECTED;
}

/* Sends the request once with a token for the challenge. *again: the vault refused the token, and
 * another try is due. */
static enum ekm_rc send_once(struct call *call, const struct vault *vault, struct vault_auth *auth,
                             struct http_request *request, struct http_response *response,
                             struct refusals *past, bool *again)
{
    struct token *token = NULL;
    *again = false;
    enum ekm_rc rc = vault_auth_find_token(call, vault, auth, &token);
    if (rc != EKM_OK) {
        goto out;
    }
    request->authorization = token_header(token);
    request->new_connection = past->count > 0; /* another front end may know the key */
    rc = vault_perform(call, vault->address.host, request, response);
    request->authorization = NULL;
    if (rc != EKM_OK) {
        goto out;
    }
    call->vault_answered = true;
    if (response->status == 401) {
        rc = request_after_refusal(call, vault, auth, token, response, past);
        *again = rc == EKM_OK;
    }
out:
    if (rc == EKM_DEADLINE && past->last.rc != EKM_OK) {
        call->error = past->last; /* the outcome of an earlier try says more */
        rc = past->last.rc;
    }
    token_release(token);
    return rc;
}

/* Tries again after a 401, because a vault may refuse a valid token for a moment (AKV10046 and
 * others). */
enum ekm_rc vault_request_send(struct call *call, const struct vault *vault,
                               struct http_request *request, struct http_response *response)
{
    struct vault_auth auth = {.guessed = false};
    struct refusals past = {.count = 0};
    bool again = true;
    request->host = vault->address.host;
    request->refusal = vault_refusal;
    enum ekm_rc rc = vault_auth_find_challenge(call, vault, &auth);
    if (rc != EKM_OK) {
        return rc;
    }
    while (again) {
        rc = send_once(call, vault, &auth, request, response, &past, &again);
        if (rc != EKM_OK) {
            return rc;
        }
    }
    if (past.count > 0) {
        call_log(call, LEVEL_INFO, "the vault refused a token %u times before it took one: AKV%u",
                 past.count, (unsigned)past.last.akv);
    }
    return EKM_OK;
}
