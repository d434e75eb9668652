#include "vault/vault_batch.h"

#include <stdlib.h>
#include <string.h>

#include "vault/vault_parts.h"
#include "vault/vault_status.h"
#include "vault/wire.h"

/* On the heap, because it is too much for the stack of SQL Server's thread. */
struct batch {
    struct http_item items[VAULT_BATCH_MAX];
    struct http_request requests[VAULT_BATCH_MAX];
    struct http_response answers[VAULT_BATCH_MAX];
    char urls[VAULT_BATCH_MAX][VAULT_URL_MAX];
    bool tried;
};

/* Whether a failure concerns only this key, so that others may be read. */
static bool goes_on(enum ekm_rc rc)
{
    return rc == EKM_OK || rc == EKM_ANSWER_TOO_BIG || ekm_concerns_key(rc);
}

static void batch_free(struct batch *batch)
{
    for (size_t i = 0; batch != NULL && i < VAULT_BATCH_MAX; i++) {
        http_response_free(&batch->answers[i]);
    }
    free(batch);
}

/* Sends all requests at once. NULL: no memory. The caller then sends them one by one, as it does
 * with each request that got no final response. */
static enum ekm_rc vault_batch_ask(struct call *call, const struct vault *vault,
                                   const struct key_id *names, size_t count, bool versions,
                                   struct batch **out)
{
    struct batch *batch = calloc(1, sizeof *batch);
    *out = batch;
    if (batch == NULL) {
        return EKM_OK;
    }
    for (size_t i = 0; i < VAULT_BATCH_MAX; i++) {
        http_response_init(&batch->answers[i]);
    }
    for (size_t i = 0; i < count; i++) {
        char path[VAULT_URL_MAX];
        if (versions) {
            vault_versions_path(path, sizeof path, names[i].name);
        } else {
            vault_key_path(path, sizeof path, &names[i], "");
        }
        vault_url(batch->urls[i], sizeof batch->urls[i], call, vault, path);
        batch->requests[i] = (struct http_request){.method = HTTP_GET, .url = batch->urls[i]};
        batch->items[i].request = &batch->requests[i];
        batch->items[i].response = &batch->answers[i];
    }
    return vault_request_try_all(call, vault, batch->requests, batch->items, count, &batch->tried);
}

/* The response to names[i]. NULL: there is none, or a retry may get another one. */
static const struct http_response *batch_response_of(struct call *call, const struct batch *batch,
                                                     size_t i)
{
    if (batch == NULL || !batch->tried) {
        return NULL;
    }
    const struct http_response *response = &batch->answers[i];
    call_new_try(call);
    if (batch->items[i].rc != EKM_OK || response->status == 401) {
        return NULL;
    }
    return response->status == 200 || !ekm_retryable(vault_refusal(call, response)) ? response
                                                                                    : NULL;
}

enum ekm_rc vault_get_keys(struct call *call, const struct vault *vault, const struct key_id *names,
                           size_t count, vault_batch_visitor visit, void *context)
{
    struct batch *batch = NULL;
    bool more = true;
    enum ekm_rc rc = vault_batch_ask(call, vault, names, count, false, &batch);
    if (rc != EKM_OK) {
        goto out;
    }
    for (size_t i = 0; more && i < count; i++) {
        struct vault_key key;
        const struct http_response *response = batch_response_of(call, batch, i);
        rc = response != NULL ? vault_read_key(call, vault, &names[i], response, &key)
                              : vault_get_key(call, vault, &names[i], &key);
        if (!goes_on(rc)) {
            goto out;
        }
        more = visit(context, i, rc, rc == EKM_OK ? &key : NULL);
    }
    rc = EKM_OK;
out:
    batch_free(batch);
    return rc;
}

struct version_list {
    size_t index;
    vault_batch_visitor visit;
    void *context;
    bool ended;
};

static bool pass_on(void *context, const struct vault_key *key)
{
    struct version_list *list = context;
    list->ended = !list->visit(list->context, list->index, EKM_OK, key);
    return !list->ended;
}

/* Reads the list whose first page is the response, and requests its other pages. */
static enum ekm_rc vault_batch_read_list(struct call *call, const struct vault *vault,
                                         const struct http_response *response,
                                         struct version_list *list)
{
    struct buf next = BUF_EMPTY(VAULT_LINK_MAX);
    enum ekm_rc rc =
        wire_read_page(call, vault->address.host, &response->body, pass_on, list, &next);
    if (rc != EKM_OK || next.len == 0) {
        goto out;
    }
    rc = vault_list_from(call, vault, NULL, pass_on, list, &next);
out:
    buf_free(&next);
    return rc;
}

/* Visits the versions of one name. `response` is NULL if the list must be requested. */
static enum ekm_rc vault_batch_visit_list(struct call *call, const struct vault *vault,
                                          const char *name, const struct http_response *response,
                                          struct version_list *list)
{
    if (response == NULL) {
        return vault_list_versions(call, vault, name, pass_on, list);
    }
    if (response->status != 200) {
        return vault_status(call, response);
    }
    return vault_batch_read_list(call, vault, response, list);
}

enum ekm_rc vault_list_all_versions(struct call *call, const struct vault *vault,
                                    const struct key_id *names, size_t count,
                                    vault_batch_visitor visit, void *context)
{
    struct batch *batch = NULL;
    bool more = true;
    enum ekm_rc rc = vault_batch_ask(call, vault, names, count, true, &batch);
    if (rc != EKM_OK) {
        goto out;
    }
    for (size_t i = 0; more && i < count; i++) {
        struct version_list list = {i, visit, context, false};
        const struct http_response *response = batch_response_of(call, batch, i);
        rc = vault_batch_visit_list(call, vault, names[i].name, response, &list);
        if (!goes_on(rc)) {
            goto out;
        }
        more = !list.ended && visit(context, i, rc, NULL);
    }
    rc = EKM_OK;
out:
    batch_free(batch);
    return rc;
}
