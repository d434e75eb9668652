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

/* Reports the error `rc` of reading the body of a 200. A body that is not JSON is a page, for
 * example of a captive portal: then the log line names its content type. */
static enum ekm_rc vault_fail_body(struct call *call, const struct http_response *response,
                                   enum ekm_rc rc)
{
    bool is_page = rc == EKM_KEY_NOT_JSON || rc == EKM_WRAP_NOT_JSON || rc == EKM_UNWRAP_NOT_JSON;
    return is_page ? vault_fail_foreign(call, response, rc) : rc;
}

/* Sends the request to `url` and expects 200. */
static enum ekm_rc send_url(struct call *call, const struct vault *vault, const char *url,
                            struct http_request *request, struct http_response *response)
{
    request->url = url;
    enum ekm_rc rc = vault_request_send(call, vault, request, response);
    if (rc != EKM_OK) {
        return rc;
    }
    return response->status == 200 ? EKM_OK : vault_status(call, response);
}

/* Sends the request to `path` at the vault and expects 200. */
static enum ekm_rc send_to(struct call *call, const struct vault *vault, const char *path,
                           struct http_request *request, struct http_response *response)
{
    char url[VAULT_URL_MAX];
    vault_url(url, sizeof url, call, vault, path);
    return send_url(call, vault, url, request, response);
}

/* Posts the body to `path`. `request` has the other properties of the request. */
static enum ekm_rc post_to(struct call *call, const struct vault *vault, const char *path,
                           const struct buf *body, struct http_request request,
                           struct http_response *response)
{
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

/* Checks that the response names the requested key: the requested version, or any if none was
 * requested. */
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
        return vault_status(call, response);
    }
    enum ekm_rc rc = wire_read_key(call, vault->address.host, &response->body, out);
    if (rc != EKM_OK) {
        return vault_fail_body(call, response, rc);
    }
    return check_key(call, key, &out->id);
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
    if (rc != EKM_OK) {
        goto out;
    }
    rc = vault_read_key(call, vault, key, &response, out);
out:
    http_response_free(&response);
    return rc;
}

static enum ekm_rc vault_operate(struct call *call, const struct vault *vault,
                                 const struct key_id *key, enum wire_operation operation,
                                 enum rsa_algorithm algorithm, const uint8_t *input, size_t len,
                                 struct buf *value)
{
    const struct http_request request = {.secret_body = operation == WIRE_WRAP};
    char path[VAULT_URL_MAX];
    struct key_id worker;
    struct http_response response;
    struct buf body = BUF_EMPTY(BODY_MAX);
    http_response_init(&response);
    buf_clear(value);
    vault_key_path(path, sizeof path, key, operation == WIRE_WRAP ? "wrapkey" : "unwrapkey");
    enum ekm_rc rc = wire_write_operation(rsa_algorithm_name(algorithm), input, len, &body);
    if (rc != EKM_OK) {
        rc = call_fail(call, rc, "the request's body");
        goto out;
    }
    rc = post_to(call, vault, path, &body, request, &response);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = wire_read_operation(call, operation, vault->address.host, &response.body, &worker, value);
    if (rc != EKM_OK) {
        rc = vault_fail_body(call, &response, rc);
        goto out;
    }
    rc = check_key(call, key, &worker);
out:
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
    if (rc == EKM_REQUEST_REFUSED && call->error.http_status == 400) {
        return call_fail(call, EKM_UNWRAP_REFUSED, NULL);
    }
    return rc;
}

/* A nextLink is used unchanged, but only if it leads to this vault, because a token goes with it.
 */
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

/* Brent's algorithm: it remembers the hash of the link after page 1, 2, 4, 8 ... */
bool vault_link_repeats(const struct buf *next, unsigned page, uint64_t *mark)
{
    uint64_t hash = fnv_add(FNV_START, next->data, next->len);
    if (hash == *mark) {
        return true;
    }
    if ((page & (page - 1)) == 0) {
        *mark = hash;
    }
    return false;
}

/* Gets the page at the link `next`, or the first page at `path` if the link is empty. */
static enum ekm_rc vault_get_page(struct call *call, const struct vault *vault, const char *path,
                                  struct buf *next, struct http_response *response)
{
    struct http_request request = {.method = HTTP_GET};
    if (next->len == 0) {
        return send_to(call, vault, path, &request, response);
    }
    if (!stays_here(vault, buf_text(next))) {
        buf_clear(next);
        return call_fail(call, EKM_OTHER_KEY, "nextLink leads to another host");
    }
    return send_url(call, vault, buf_text(next), &request, response);
}

/* Visits the keys of the page at `next`, or of the page at `path` if next is empty. Then next is
 * the link to the following page; empty: that was the last one. */
static enum ekm_rc list_page(struct call *call, const struct vault *vault, const char *path,
                             vault_key_visitor visit, void *context, struct buf *next)
{
    struct http_response response;
    http_response_init(&response);
    enum ekm_rc rc = vault_get_page(call, vault, path, next, &response);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = wire_read_page(call, vault->address.host, &response.body, visit, context, next);
    if (rc != EKM_OK) {
        rc = vault_fail_body(call, &response, rc);
    }
out:
    http_response_free(&response);
    return rc;
}

enum ekm_rc vault_list_from(struct call *call, const struct vault *vault, const char *path,
                            vault_key_visitor visit, void *context, struct buf *next)
{
    uint64_t mark = 0;
    enum ekm_rc rc = list_page(call, vault, path, visit, context, next);
    if (rc != EKM_OK) {
        return rc;
    }
    for (unsigned page = 1; next->len > 0; page++) {
        if (vault_link_repeats(next, page, &mark)) {
            return call_fail(call, EKM_ANSWER_TOO_BIG, "nextLink leads back to an earlier page");
        }
        if (page == VAULT_PAGES_MAX) {
            return call_fail(call, EKM_ANSWER_TOO_BIG, "more than %d pages of keys",
                             VAULT_PAGES_MAX);
        }
        rc = list_page(call, vault, path, visit, context, next);
        if (rc != EKM_OK) {
            return rc;
        }
    }
    return EKM_OK;
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
    const struct http_request request = {.once = true};
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
    if (rc != EKM_OK) {
        rc = call_fail(call, rc, "the request's body");
        goto out;
    }
    rc = post_to(call, vault, path, &body, request, &response);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = wire_read_key(call, vault->address.host, &response.body, out);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = check_key(call, &asked, &out->id);
out:
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
