#include "net/http_copies.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/backoff.h"
#include "platform/system.h"

bool http_copies_make(struct http_item *item)
{
    struct http_copies *copies = calloc(1, sizeof *copies);
    if (copies == NULL) {
        return false;
    }
    const struct buf body = BUF_EMPTY(HTTP_BODY_MAX);
    for (size_t i = 0; i < HTTP_COPIES; i++) {
        http_response_init(&copies->responses[i]);
        copies->bodies[i] = body;
    }
    copies->under_way = 1;
    item->copies = copies;
    return true;
}

void http_copies_free(struct http_item *item)
{
    for (size_t i = 0; i < HTTP_COPIES; i++) {
        http_response_free(&item->copies->responses[i]);
        buf_free(&item->copies->bodies[i]);
    }
    free(item->copies);
    item->copies = NULL;
}

/* Whether the response is final: no retry of the same request would change it. A request without a
 * token expects a 401; after one to a token, the caller must send another token. */
static bool http_copies_stands(struct call *call, const struct http_request *request,
                               const struct http_response *response)
{
    long status = response->status;
    bool is_page =
        response->content_type[0] != '\0' && strstr(response->content_type, "json") == NULL;
    if (status == 401) {
        return !is_page || request->authorization == NULL;
    }
    if (is_page || backoff_retries_status(status) || status >= 500 ||
        (status >= 300 && status < 400)) {
        return false;
    }
    return status < 300 || request->refusal == NULL ||
           !ekm_retryable(request->refusal(call, response));
}

static enum http_rank http_copies_rank(struct call *call, const struct http_request *request,
                                       const struct http_response *response, enum ekm_rc rc)
{
    if (rc != EKM_OK) {
        return HTTP_RANK_FAILURE;
    }
    bool stands = http_copies_stands(call, request, response);
    call_clear_error(call);
    return stands ? HTTP_RANK_GOOD : response->status == 429 ? HTTP_RANK_LIMIT : HTTP_RANK_RESPONSE;
}

static void http_copies_keep(struct call *call, const struct http_item *item, enum http_rank rank,
                             struct http_response *response, enum ekm_rc rc)
{
    struct http_outcome *best = &item->copies->best;
    *best =
        (struct http_outcome){.rank = rank, .rc = rc, .response = response, .error = call->error};
    (void)text_copy(best->request_id, sizeof best->request_id, call->request_id);
    (void)text_copy(best->proxy, sizeof best->proxy, call->proxy);
    (void)text_copy(best->peer, sizeof best->peer, call->peer);
}

enum http_rank http_copies_note(struct call *call, const struct http_item *item,
                                struct http_response *response, enum ekm_rc rc)
{
    enum http_rank rank = http_copies_rank(call, item->request, response, rc);
    if (rank == HTTP_RANK_LIMIT) {
        throttle_release(item->request->host, &item->copies->pass, THROTTLE_REFUSED,
                         backoff_retry_after_ms(response->retry_after, plat_unix_time_ms()));
    }
    if (rank > item->copies->best.rank) { /* the first one of equal rank is kept */
        http_copies_keep(call, item, rank, response, rc);
    }
    return rank;
}

void http_copies_note_last(struct call *call, const struct http_item *item,
                           struct http_response *response, enum ekm_rc rc)
{
    http_copies_keep(call, item, HTTP_RANK_GOOD, response, rc);
}

void http_copies_settle(struct call *call, struct http_item *item)
{
    const struct http_outcome *best = &item->copies->best;
    (void)text_copy(call->request_id, sizeof call->request_id, best->request_id);
    (void)text_copy(call->proxy, sizeof call->proxy, best->proxy);
    (void)text_copy(call->peer, sizeof call->peer, best->peer);
    item->rc = best->rc;
    item->error = best->error;
    if (best->response != item->response) {
        struct http_response other = *item->response;
        *item->response = *best->response;
        *best->response = other;
    }
    http_copies_free(item);
}
