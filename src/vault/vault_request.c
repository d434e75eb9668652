#include "vault/vault_request.h"

#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "vault/vault_perform.h"
#include "vault/vault_status.h"
#include "vault/wire.h"

/* What a call goes in with. */
struct entry {
    struct challenge challenge;
    bool guessed;            /* the vault has not said it in this life */
    struct call_error fetch; /* what the token's first try came to, if it failed */
};

/* The request without a token, whose only right response is 401. */
static void challenge_request(const struct call *call, const struct vault *vault,
                              char url[VAULT_URL_MAX], struct http_request *out)
{
    (void)text_format(url, VAULT_URL_MAX, "https://%s/keys?maxresults=1&api-version=%s",
                      vault->address.host, call->config->api_version);
    *out = (struct http_request){
        .method = HTTP_GET, .url = url, .host = vault->address.host, .refusal = vault_refusal};
}

/* Reads the vault's response to it; set in the call if it is not a challenge. */
static enum ekm_rc read_challenge(struct call *call, const struct vault *vault,
                                  const struct http_response *response, struct challenge *out)
{
    if (response->status != 401) {
        return vault_status(call, response, EKM_CHALLENGE_MALFORMED);
    }
    enum ekm_rc rc = challenge_parse(call, &vault->address, response->authenticate, out);
    call->error.http_status = 401;
    bool is_own = true;
    if (rc == EKM_CHALLENGE_MALFORMED &&
        wire_read_error(call, &response->body, &is_own) == EKM_OUT_OF_MEMORY) {
        return EKM_OUT_OF_MEMORY;
    }
    return vault_is_page(response, is_own) ? vault_fail_foreign(call, response, EKM_NOT_VAULT) : rc;
}

/* Asks the vault, with retries. */
static enum ekm_rc challenge_request_send(struct call *call, const struct vault *vault,
                                          struct challenge *out)
{
    char url[VAULT_URL_MAX];
    struct http_request request;
    struct http_response response;
    http_response_init(&response);
    challenge_request(call, vault, url, &request);
    enum ekm_rc rc = vault_perform(call, vault->address.host, &request, &response);
    if (rc == EKM_OK) {
        rc = read_challenge(call, vault, &response, out);
    }
    if (rc == EKM_OK) {
        challenge_remember(vault->address.host, out);
    }
    http_response_free(&response);
    return rc;
}

static bool same_tenant(const struct challenge *a, const struct challenge *b)
{
    return text_equal_nocase(a->tenant, b->tenant);
}

/* What the one try for the challenge came to; set in the call. */
static enum ekm_rc challenge_request_judge(struct call *call, const struct vault *vault,
                                           const struct http_item *item, struct challenge *said)
{
    if (item->rc != EKM_OK) {
        call->error = item->error;
        return item->rc;
    }
    return read_challenge(call, vault, item->response, said);
}

/* One try for the challenge and, if `fetch` is not NULL, for the token of the guess at once.
 * EKM_OK: *said is the vault's word; else set in the call, or EKM_NO_ANSWER without: it was not
 * tried. */
static enum ekm_rc ask_and_fetch(struct call *call, const struct vault *vault,
                                 struct token_fetch *fetch, bool *issued, struct entry *entry,
                                 struct challenge *said)
{
    char url[VAULT_URL_MAX];
    struct http_request request;
    struct http_response answers[2];
    http_response_init(&answers[0]);
    http_response_init(&answers[1]);
    challenge_request(call, vault, url, &request);
    /* The vault's request first, because the next one then finds its connection open. */
    struct http_item items[2] = {{.request = &request, .response = &answers[0]},
                                 {.response = &answers[1]}};
    if (fetch != NULL) {
        items[1].request = &fetch->request.http;
    }
    bool tried = vault_perform_all(call, vault->address.host, items, fetch != NULL ? 2 : 1);
    *issued =
        fetch != NULL &&
        token_fetch_end(call, fetch, tried && items[1].rc == EKM_OK ? items[1].response : NULL);
    if (fetch != NULL && tried && items[1].rc != EKM_OK) {
        entry->fetch = items[1].error;
    }
    enum ekm_rc rc = tried ? challenge_request_judge(call, vault, &items[0], said) : EKM_NO_ANSWER;
    http_response_free(&answers[0]);
    http_response_free(&answers[1]);
    return rc;
}

/* Makes the guess certain while a token for it is fetched, by this call or by another: the turn is
 * lost anyway, and the connection to the vault is open when the token comes. Where a token is there
 * already the guess will do: the vault's 401 would tell better. */
static enum ekm_rc vault_request_confirm_guess(struct call *call, const struct vault *vault,
                                               struct entry *entry)
{
    struct token_fetch fetch;
    struct challenge said;
    bool issued = false;
    enum token_flight flight =
        token_fetch_begin(call, vault->credential, &entry->challenge, &fetch);
    if (flight == TOKEN_FLIGHT_NONE && entry->challenge.authority[0] != '\0') {
        return EKM_OK;
    }
    bool own = flight == TOKEN_FLIGHT_OWN;
    enum ekm_rc rc = ask_and_fetch(call, vault, own ? &fetch : NULL, &issued, entry, &said);
    if (rc != EKM_OK) {
        const struct call_error first = call->error;
        rc = challenge_request_send(call, vault, &said);
        if (rc == EKM_DEADLINE && first.rc != EKM_OK) {
            call->error = first; /* a try had ended */
            rc = first.rc;
        }
    }
    if (rc != EKM_OK) {
        return rc;
    }
    /* The same tenant under another name of its cloud: the token for the guess can be used. */
    if (!same_tenant(&said, &entry->challenge) || (own && !issued)) {
        entry->challenge = said;
    }
    entry->guessed = false;
    call_clear_error(call);
    /* Another's fetch may yet fail at a name that only the guess says: that must not stay. */
    challenge_remember(vault->address.host, own ? &entry->challenge : &said);
    return EKM_OK;
}

static enum ekm_rc find_challenge(struct call *call, const struct vault *vault, struct entry *entry)
{
    bool known = challenge_recall(&vault->address, &entry->challenge, &entry->guessed);
    if (!known && credential_needs_tenant(vault->credential)) {
        return challenge_request_send(call, vault, &entry->challenge);
    }
    if (!known) {
        /* The resource follows from the vault's cloud, so the token need not wait for the vault. */
        memset(&entry->challenge, 0, sizeof entry->challenge);
        (void)text_copy(entry->challenge.resource, sizeof entry->challenge.resource,
                        vault->address.resource);
        entry->guessed = true;
    }
    return entry->guessed ? vault_request_confirm_guess(call, vault, entry) : EKM_OK;
}

/* The deadline passed before a token came: the line names the login host too. */
static enum ekm_rc vault_request_name_login(struct call *call, const struct entry *entry)
{
    if (entry->fetch.rc != EKM_OK) {
        call->error = entry->fetch;
        return entry->fetch.rc;
    }
    const char *login = entry->challenge.authority;
    return call_fail(call, EKM_DEADLINE, "no token yet%s%s", login[0] != '\0' ? " from " : "",
                     login);
}

/* A token for the challenge. A refusal under a guess is none: the vault may have moved since. */
static enum ekm_rc find_token(struct call *call, const struct vault *vault, struct entry *entry,
                              struct token **token)
{
    const char *host = vault->address.host;
    struct challenge said;
    call->error.at_vault = false;
    enum ekm_rc rc = token_get(call, vault->credential, &entry->challenge, token);
    if (rc == EKM_DEADLINE && call->error.note[0] == '\0') {
        return vault_request_name_login(call, entry);
    }
    bool refused = credential_needs_tenant(vault->credential) &&
                   (rc == EKM_BAD_CREDENTIALS || rc == EKM_TOKEN_FAILED ||
                    rc == EKM_FEDERATED_NONE || rc == EKM_FEDERATED_ISSUER);
    if (refused && entry->guessed) {
        const struct call_error error = call->error;
        entry->guessed = false;
        if (challenge_request_send(call, vault, &said) == EKM_OK &&
            !same_tenant(&said, &entry->challenge)) {
            entry->challenge = said;
            call_new_try(call);
            return token_get(call, vault->credential, &said, token);
        }
        call->error = error;
    }
    if (refused) {
        challenge_doubt(host);
    }
    return rc;
}

static enum ekm_rc vault_request_enter(struct call *call, const struct vault *vault,
                                       struct token **token)
{
    struct entry entry = {.guessed = false};
    enum ekm_rc rc = find_challenge(call, vault, &entry);
    return rc == EKM_OK ? find_token(call, vault, &entry, token) : rc;
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
    if (rc == EKM_OK) {
        for (size_t i = 0; i < count; i++) {
            requests[i].host = vault->address.host;
            requests[i].authorization = token_header(token);
        }
        *tried = vault_perform_all(call, vault->address.host, items, count);
        for (size_t i = 0; i < count; i++) {
            requests[i].authorization = NULL;
        }
    }
    token_release(token);
    return rc;
}

/* The 401s that a call has met. */
struct refusals {
    unsigned count, renewals;
    uint64_t renew_after_ms; /* no new token before */
    struct call_error last;
};

#define AKV_INVALID_AUDIENCE  10022
#define AKV_INVALID_ISSUER    10032
#define AKV_NO_SIGNING_KEY    10046 /* sometimes sent to valid tokens too */
#define REFUSALS_SAME_TOKEN   3     /* after so many with AKV10046 another token is tried */
#define REFUSAL_PAUSE_MS      100   /* doubles up to REFUSAL_PAUSE_MOST_MS */
#define REFUSAL_PAUSE_MOST_MS 1000

/* Reads a 401 to a token: what the vault says of it stays in the call, *said is where it wants
 * tokens from now on. EKM_OK: another try may help. */
static enum ekm_rc request_read_refusal(struct call *call, const struct vault *vault,
                                        const struct entry *entry,
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
    } else if (rc != EKM_CHALLENGE_FOREIGN && call->error.akv == AKV_NO_SIGNING_KEY) {
        *said = entry->challenge; /* it refuses this token, not the place it comes from */
        rc = EKM_OK;
    } else if (rc != EKM_CHALLENGE_FOREIGN) {
        return vault_is_page(response, is_own) ? vault_fail_foreign(call, response, EKM_NOT_VAULT)
                                               : call_fail(call, EKM_UNAUTHORIZED, NULL);
    }
    return rc;
}

/* Whether the next try needs another token. A token with the wrong issuer or audience never becomes
 * right: *final, if no other can be had. */
static bool request_renew_token(const struct call *call, const struct vault *vault,
                                const struct entry *entry, const struct token *token,
                                struct refusals *past, bool *final)
{
    uint32_t akv = call->error.akv;
    uint64_t now_ms = plat_now_ms();
    bool is_wrong = akv == AKV_INVALID_AUDIENCE || akv == AKV_INVALID_ISSUER;
    bool is_due = akv == AKV_NO_SIGNING_KEY ? past->count % REFUSALS_SAME_TOKEN == 0
                                            : now_ms >= past->renew_after_ms;
    bool renewed = is_due && !(is_wrong && past->renewals > 0) &&
                   token_reject(vault->credential, &entry->challenge, token,
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

/* After a 401 to this token. EKM_OK: it is time for another try, with a new token where one may
 * help; else the call's outcome. */
static enum ekm_rc request_after_refusal(struct call *call, const struct vault *vault,
                                         struct entry *entry, const struct token *token,
                                         const struct http_response *response,
                                         struct refusals *past)
{
    struct challenge said;
    bool final = false;
    enum ekm_rc rc = request_read_refusal(call, vault, entry, response, &said);
    if (rc != EKM_OK) {
        return rc;
    }
    past->count++;
    (void)call_fail(call, EKM_TOKEN_REJECTED, NULL);
    past->last = call->error;
    bool has_moved = !same_tenant(&said, &entry->challenge);
    bool renewed = !has_moved && request_renew_token(call, vault, entry, token, past, &final);
    entry->challenge = said;
    entry->guessed = false;
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

/* One request with the token of the challenge. *again: the vault refused the token, and another try
 * is due. */
static enum ekm_rc send_once(struct call *call, const struct vault *vault, struct entry *entry,
                             struct http_request *request, struct http_response *response,
                             struct refusals *past, bool *again)
{
    struct token *token = NULL;
    enum ekm_rc rc = find_token(call, vault, entry, &token);
    *again = false;
    if (rc == EKM_OK) {
        request->authorization = token_header(token);
        request->new_connection = past->count > 0; /* another front end may know the key */
        rc = vault_perform(call, vault->address.host, request, response);
        request->authorization = NULL;
        call->vault_answered |= rc == EKM_OK;
    }
    if (rc == EKM_OK && response->status == 401) {
        rc = request_after_refusal(call, vault, entry, token, response, past);
        *again = rc == EKM_OK;
    } else if (rc == EKM_DEADLINE && past->last.rc != EKM_OK) {
        call->error = past->last; /* a try had ended */
        rc = past->last.rc;
    }
    token_release(token);
    return rc;
}

/* A vault may refuse a valid token for a moment (AKV10046 and the like). */
enum ekm_rc vault_request_send(struct call *call, const struct vault *vault,
                               struct http_request *request, struct http_response *response)
{
    struct entry entry = {.guessed = false};
    struct refusals past = {.count = 0};
    bool again = true;
    request->host = vault->address.host;
    request->refusal = vault_refusal;
    enum ekm_rc rc = find_challenge(call, vault, &entry);
    while (rc == EKM_OK && again) {
        rc = send_once(call, vault, &entry, request, response, &past, &again);
    }
    if (rc == EKM_OK && past.count > 0) {
        call_log(call, LEVEL_INFO, "the vault refused a token %u times before it took one: AKV%u",
                 past.count, (unsigned)past.last.akv);
    }
    return rc;
}
