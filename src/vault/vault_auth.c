#include "vault/vault_auth.h"

#include <string.h>

#include "base/text.h"
#include "vault/vault_perform.h"
#include "vault/vault_status.h"
#include "vault/wire.h"

/* Makes the request without a token. Its only right response is 401. */
static void challenge_request(const struct call *call, const struct vault *vault,
                              char url[VAULT_URL_MAX], struct http_request *out)
{
    (void)text_format(url, VAULT_URL_MAX, "https://%s/keys?maxresults=1&api-version=%s",
                      vault->address.host, call->config->api_version);
    *out = (struct http_request){
        .method = HTTP_GET, .url = url, .host = vault->address.host, .refusal = vault_refusal};
}

/* Reads the vault's response to that request. If it is no challenge, the error is set in the
 * call. */
static enum ekm_rc read_challenge(struct call *call, const struct vault *vault,
                                  const struct http_response *response, struct challenge *out)
{
    if (response->status != 401) {
        enum ekm_rc rc = vault_status(call, response);
        return rc == EKM_UNEXPECTED_STATUS
                   ? vault_fail_foreign(call, response, EKM_CHALLENGE_MALFORMED)
                   : rc;
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

/* Asks the vault for its challenge, with retries, and remembers it. */
static enum ekm_rc challenge_request_send(struct call *call, const struct vault *vault,
                                          struct challenge *out)
{
    char url[VAULT_URL_MAX];
    struct http_request request;
    struct http_response response;
    http_response_init(&response);
    challenge_request(call, vault, url, &request);
    enum ekm_rc rc = vault_perform(call, vault->address.host, &request, &response);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = read_challenge(call, vault, &response, out);
    if (rc != EKM_OK) {
        goto out;
    }
    challenge_remember(vault->address.host, out);
out:
    http_response_free(&response);
    return rc;
}

bool vault_auth_same_tenant(const struct challenge *a, const struct challenge *b)
{
    return text_equal_nocase(a->tenant, b->tenant);
}

/* Reads the outcome of the one try for the challenge. An error is set in the call. */
static enum ekm_rc challenge_request_judge(struct call *call, const struct vault *vault,
                                           const struct http_item *item, struct challenge *said)
{
    if (item->rc != EKM_OK) {
        call->error = item->error;
        return item->rc;
    }
    return read_challenge(call, vault, item->response, said);
}

/* Makes one try for the challenge and, at the same time, one for the token of the guess, unless
 * `fetch` is NULL. EKM_OK: *said is the vault's challenge. Otherwise the error is set in the call,
 * except for an EKM_NO_ANSWER if nothing was sent. */
static enum ekm_rc ask_and_fetch(struct call *call, const struct vault *vault,
                                 struct token_fetch *fetch, bool *issued, struct vault_auth *auth,
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
    *issued = false;
    if (fetch != NULL) {
        bool answered = tried && items[1].rc == EKM_OK;
        *issued = token_fetch_end(call, fetch, answered ? items[1].response : NULL);
        if (tried && !answered) {
            auth->fetch = items[1].error;
        }
    }
    enum ekm_rc rc = tried ? challenge_request_judge(call, vault, &items[0], said) : EKM_NO_ANSWER;
    http_response_free(&answers[0]);
    http_response_free(&answers[1]);
    return rc;
}

/* Confirms the guessed challenge while this call or another one fetches a token for it. The round
 * trip is lost to the fetch anyway, and the connection to the vault is open when the token comes.
 * If a token is cached already, the guess is used as it is: the vault's 401 would correct it. */
static enum ekm_rc vault_auth_confirm_guess(struct call *call, const struct vault *vault,
                                            struct vault_auth *auth)
{
    struct token_fetch fetch;
    struct challenge said;
    bool issued = false;
    enum token_flight flight = token_fetch_begin(call, vault->credential, &auth->challenge, &fetch);
    if (flight == TOKEN_FLIGHT_NONE && auth->challenge.authority[0] != '\0') {
        return EKM_OK;
    }
    bool own = flight == TOKEN_FLIGHT_OWN;
    enum ekm_rc rc = ask_and_fetch(call, vault, own ? &fetch : NULL, &issued, auth, &said);
    if (rc != EKM_OK) {
        const struct call_error first = call->error;
        rc = challenge_request_send(call, vault, &said);
        if (rc == EKM_DEADLINE && first.rc != EKM_OK) {
            call->error = first; /* the outcome of an earlier try says more */
            rc = first.rc;
        }
    }
    if (rc != EKM_OK) {
        return rc;
    }
    /* A tenant has the same tokens under each name of its cloud's login host. So a token for the
     * guess remains usable if only that name differs. */
    if (!vault_auth_same_tenant(&said, &auth->challenge) || (own && !issued)) {
        auth->challenge = said;
    }
    auth->guessed = false;
    call_clear_error(call);
    /* Another call's fetch may still fail at a login host that only the guess names. So only the
     * vault's own challenge is remembered then. */
    challenge_remember(vault->address.host, own ? &auth->challenge : &said);
    return EKM_OK;
}

enum ekm_rc vault_auth_find_challenge(struct call *call, const struct vault *vault,
                                      struct vault_auth *auth)
{
    bool known = challenge_recall(&vault->address, &auth->challenge, &auth->guessed);
    if (!known && credential_needs_tenant(vault->credential)) {
        return challenge_request_send(call, vault, &auth->challenge);
    }
    if (!known) {
        /* The cloud gives the resource, so the token fetch need not wait for the vault. */
        memset(&auth->challenge, 0, sizeof auth->challenge);
        (void)text_copy(auth->challenge.resource, sizeof auth->challenge.resource,
                        vault->address.resource);
        auth->guessed = true;
    }
    return auth->guessed ? vault_auth_confirm_guess(call, vault, auth) : EKM_OK;
}

/* The deadline passed before a token came. The log line names the login host as well. */
static enum ekm_rc vault_auth_name_login(struct call *call, const struct vault_auth *auth)
{
    if (auth->fetch.rc != EKM_OK) {
        call->error = auth->fetch;
        return auth->fetch.rc;
    }
    const char *login = auth->challenge.authority;
    return call_fail(call, EKM_DEADLINE, "no token yet%s%s", login[0] != '\0' ? " from " : "",
                     login);
}

enum ekm_rc vault_auth_find_token(struct call *call, const struct vault *vault,
                                  struct vault_auth *auth, struct token **token)
{
    const char *host = vault->address.host;
    struct challenge said;
    call->error.at_vault = false;
    enum ekm_rc rc = token_get(call, vault->credential, &auth->challenge, token);
    if (rc == EKM_DEADLINE && call->error.note[0] == '\0') {
        return vault_auth_name_login(call, auth);
    }
    bool refused = credential_needs_tenant(vault->credential) &&
                   (rc == EKM_BAD_CREDENTIALS || rc == EKM_TOKEN_FAILED ||
                    rc == EKM_FEDERATED_NONE || rc == EKM_FEDERATED_ISSUER);
    if (refused && auth->guessed) {
        const struct call_error error = call->error;
        auth->guessed = false;
        if (challenge_request_send(call, vault, &said) == EKM_OK &&
            !vault_auth_same_tenant(&said, &auth->challenge)) {
            auth->challenge = said;
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
