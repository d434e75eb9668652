#include "vault/vault.h"

#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "vault/vault_parts.h"
#include "vault/vault_status.h"
#include "vault/wire.h"

#define BODY_MAX 8192

enum ekm_rc vault_authenticate(struct call *call, const struct vault *vault)
{
    return vault_request_open(call, vault);
}

void vault_url(char *out, size_t cap, const struct call *call, const struct vault *vault,
               const char *path)
{
    (void)text_join(out, cap,
                    (const char *const[]){"https://", vault->address.host, path,
                                          "api-version=", call->config->api_version, NULL});
}

/* `rc` is what came of reading the body of a 200. One that is no JSON at all is a page, of a
 * captive portal for example: the line says of which kind. */
static enum ekm_rc vault_judge_body(struct call *call, const struct http_response *response,
                                    enum ekm_rc rc)
{
    bool is_page = rc == EKM_KEY_NOT_JSON || rc == EKM_WRAP_NOT_JSON || rc == EKM_UNWRAP_NOT_JSON;
    return is_page ? vault_fail_foreign(call, response, rc) : rc;
}

/* Sends to `path` behind the host and expects 200. */
static enum ekm_rc send_to(struct call *call, const struct vault *vault, const char *path,
                           struct http_request *request, struct http_response *response)
{
    char url[VAULT_URL_MAX];
    vault_url(url, sizeof url, call, vault, path);
    request->url = url;
    enum ekm_rc rc = vault_request_send(call, vault, request, response);
    return rc == EKM_OK && response->status != 200
               ? vault_status(call, response, EKM_UNEXPECTED_STATUS)
               : rc;
}

/* `written` is what came of the body; `request` says what else is to be known about it. */
static enum ekm_rc post_to(struct call *call, const struct vault *vault, const char *path,
                           enum ekm_rc written, const struct buf *body, struct http_request request,
                           struct http_response *response)
{
    if (written != EKM_OK) {
        return call_fail(call, written, "the request's body");
    }
    request.method = HTTP_POST;
    request.content_type = "application/json";
    request.body = body->data;
    request.body_len = body->len;
    return send_to(call, vault, path, &request, response);
}

void vault_key_path(char *out, size_t cap, const struct key_id *key, const char *action)
{
    const char *const parts[] = {"/keys/",
                                 key->name,
                                 key->version[0] != '\0' ? "/" : "",
                                 key->version,
                                 action[0] != '\0' ? "/" : "",
                                 action,
                                 "?",
                                 NULL};
    (void)text_join(out, cap, parts);
}

void vault_versions_path(char *out, size_t cap, const char *name)
{
    (void)text_format(out, cap, "/keys/%s/versions?maxresults=25&", name);
}

/* The response must name the key that was asked for: any version, if none was named. */
static enum ekm_rc check_key(struct call *call, const struct key_id *asked,
                             const struct key_id *answered)
{
    bool same = text_equal_nocase(asked->name, answered->name) && answered->version[0] != '\0' &&
                (asked->version[0] == '\0' || text_equal_nocase(asked->version, answered->version));
    return same ? EKM_OK
                : call_fail(call, EKM_OTHER_KEY, "asked for %s/%s, got %s/%s", asked->name,
                            asked->version, answered->name, answered->version);
}

enum ekm_rc vault_read_key(struct call *call, const struct vault *vault, const struct key_id *key,
                           const struct http_response *response, struct vault_key *out)
{
    if (response->status != 200) {
        return vault_status(call, response, EKM_UNEXPECTED_STATUS);
    }
    enum ekm_rc rc = wire_read_key(call, vault->address.host, &response->body, out);
    return rc == EKM_OK ? check_key(call, key, &out->id) : vault_judge_body(call, response, rc);
}

enum ekm_rc vault_get_key(struct call *call, const struct vault *vault, const struct key_id *key,
                          struct vault_key *out)
{
    char path[VAULT_URL_MAX];
    struct http_response response;
    struct http_request request = {.method = HTTP_GET};
    http_response_init(&response);
    vault_key_path(path, sizeof path, key, "");
    enum ekm_rc rc = send_to(call, vault, path, &request, &response);
    if (rc == EKM_OK) {
        rc = vault_read_key(call, vault, key, &response, out);
    }
    http_response_free(&response);
    return rc;
}

static enum ekm_rc vault_operate(struct call *call, const struct vault *vault,
                                 const struct key_id *key, enum wire_operation operation,
                                 enum rsa_algorithm algorithm, const uint8_t *input, size_t len,
                                 struct buf *value)
{
    char path[VAULT_URL_MAX];
    struct key_id worker;
    struct http_response response;
    struct buf body = BUF_EMPTY(BODY_MAX);
    http_response_init(&response);
    buf_clear(value);
    vault_key_path(path, sizeof path, key, operation == WIRE_WRAP ? "wrapkey" : "unwrapkey");
    enum ekm_rc rc = wire_write_operation(rsa_algorithm_name(algorithm), input, len, &body);
    rc = post_to(call, vault, path, rc, &body,
                 (struct http_request){.secret_body = operation == WIRE_WRAP}, &response);
    if (rc == EKM_OK) {
        rc = wire_read_operation(call, operation, vault->address.host, &response.body, &worker,
                                 value);
        rc = vault_judge_body(call, &response, rc);
    }
    if (rc == EKM_OK) {
        rc = check_key(call, key, &worker);
    }
    if (rc != EKM_OK) {
        buf_clear(value);
    }
    buf_free(&body);
    http_response_free(&response);
    return rc;
}

enum ekm_rc vault_wrap(struct call *call, const struct vault *vault, const struct key_id *key,
                       enum rsa_algorithm algorithm, const uint8_t *plain, size_t len,
                       struct buf *value)
{
    return vault_operate(call, vault, key, WIRE_WRAP, algorithm, plain, len, value);
}

enum ekm_rc vault_unwrap(struct call *call, const struct vault *vault, const struct key_id *key,
                         enum rsa_algorithm algorithm, const uint8_t *wrapped, size_t len,
                         struct buf *value)
{
    enum ekm_rc rc = vault_operate(call, vault, key, WIRE_UNWRAP, algorithm, wrapped, len, value);
    return rc == EKM_REQUEST_REFUSED && call->error.http_status == 400
               ? call_fail(call, EKM_UNWRAP_REFUSED, NULL)
               : rc;
}

/* A nextLink is used unchanged, but only if it stays at this vault, because it gets a token. */
static bool stays_here(const struct vault *vault, const char *link)
{
    size_t len = strlen(vault->address.host);
    if (!text_equal_nocase_n(link, "https://", 8) ||
        !text_equal_nocase_n(link + 8, vault->address.host, len)) {
        return false;
    }
    const char *rest = link + 8 + len;
    rest += strncmp(rest, ":443/", 5) == 0 ? 4 : 0;
    return *rest == '/' && strpbrk(rest, " \t\r\n#") == NULL;
}

/* Brent's algorithm: the link after page 1, 2, 4, 8 ... is remembered. */
bool vault_link_repeats(const struct buf *next, unsigned page, uint64_t *mark)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < next->len; i++) {
        hash = (hash ^ next->data[i]) * 1099511628211u;
    }
    if (hash == *mark) {
        return true;
    }
    if ((page & (page - 1)) == 0) {
        *mark = hash;
    }
    return false;
}

/* The page at `next`, at `path` if that is empty; next then leads to the page after it, empty: the
 * last one. */
static enum ekm_rc list_page(struct call *call, const struct vault *vault, const char *path,
                             vault_key_visitor visit, void *context, struct buf *next)
{
    struct http_response response;
    struct http_request request = {.method = HTTP_GET};
    enum ekm_rc rc = EKM_OK;
    http_response_init(&response);
    if (next->len == 0) {
        rc = send_to(call, vault, path, &request, &response);
    } else if (!stays_here(vault, buf_text(next))) {
        buf_clear(next);
        rc = call_fail(call, EKM_OTHER_KEY, "nextLink leads to another host");
    } else {
        request.url = buf_text(next);
        rc = vault_request_send(call, vault, &request, &response);
        if (rc == EKM_OK && response.status != 200) {
            rc = vault_status(call, &response, EKM_UNEXPECTED_STATUS);
        }
    }
    if (rc == EKM_OK) {
        rc = wire_read_page(call, vault->address.host, &response.body, visit, context, next);
        rc = vault_judge_body(call, &response, rc);
    }
    http_response_free(&response);
    return rc;
}

enum ekm_rc vault_list_from(struct call *call, const struct vault *vault, const char *path,
                            vault_key_visitor visit, void *context, struct buf *next)
{
    uint64_t mark = 0;
    enum ekm_rc rc = list_page(call, vault, path, visit, context, next);
    for (unsigned page = 1; rc == EKM_OK && next->len > 0; page++) {
        if (vault_link_repeats(next, page, &mark)) {
            return call_fail(call, EKM_ANSWER_TOO_BIG, "nextLink leads back to an earlier page");
        }
        rc = page < VAULT_PAGES_MAX ? list_page(call, vault, path, visit, context, next)
                                    : call_fail(call, EKM_ANSWER_TOO_BIG,
                                                "more than %d pages of keys", VAULT_PAGES_MAX);
    }
    return rc;
}

static enum ekm_rc vault_list_pages(struct call *call, const struct vault *vault, const char *path,
                                    vault_key_visitor visit, void *context)
{
    struct buf next = BUF_EMPTY(VAULT_LINK_MAX);
    enum ekm_rc rc = vault_list_from(call, vault, path, visit, context, &next);
    buf_free(&next);
    return rc;
}

enum ekm_rc vault_list_keys(struct call *call, const struct vault *vault, vault_key_visitor visit,
                            void *context)
{
    return vault_list_pages(call, vault, "/keys?maxresults=25&", visit, context);
}

enum ekm_rc vault_list_keys_page(struct call *call, const struct vault *vault,
                                 vault_key_visitor visit, void *context, struct buf *next)
{
    return list_page(call, vault, "/keys?maxresults=25&", visit, context, next);
}

enum ekm_rc vault_list_versions(struct call *call, const struct vault *vault, const char *name,
                                vault_key_visitor visit, void *context)
{
    char path[VAULT_URL_MAX];
    vault_versions_path(path, sizeof path, name);
    return vault_list_pages(call, vault, path, visit, context);
}

enum ekm_rc vault_create_key(struct call *call, const struct vault *vault, const char *name,
                             uint32_t bits, struct vault_key *out)
{
    char path[VAULT_URL_MAX];
    struct http_response response;
    struct buf body = BUF_EMPTY(BODY_MAX);
    struct key_id asked;
    memset(&asked, 0, sizeof asked);
    (void)text_copy(asked.name, sizeof asked.name, name);
    bool hsm = strncmp(vault->address.resource, "managedhsm.", 11) == 0;
    http_response_init(&response);
    (void)text_format(path, sizeof path, "/keys/%s/create?", name);
    enum ekm_rc rc = wire_write_create(bits, hsm, &body);
    rc = post_to(call, vault, path, rc, &body, (struct http_request){.once = true}, &response);
    if (rc == EKM_OK) {
        rc = wire_read_key(call, vault->address.host, &response.body, out);
    }
    if (rc == EKM_OK) {
        rc = check_key(call, &asked, &out->id);
    }
    buf_free(&body);
    http_response_free(&response);
    return rc;
}

enum ekm_rc vault_delete_key(struct call *call, const struct vault *vault, const char *name)
{
    char path[VAULT_URL_MAX];
    struct http_response response;
    struct http_request request = {.method = HTTP_DELETE, .once = true};
    http_response_init(&response);
    (void)text_format(path, sizeof path, "/keys/%s?", name);
    enum ekm_rc rc = send_to(call, vault, path, &request, &response);
    http_response_free(&response);
    return rc;
}
