#include "net/http_message.h"

bool http_message_rewrite(struct call *call, struct http_request *request, struct buf *body)
{
    const struct call_error error = call->error;
    struct buf fresh = BUF_EMPTY(body->max);
    if (request->rewrite == NULL) {
        return true;
    }
    enum ekm_rc rc = request->rewrite(call, request->context, &fresh);
    call->error = error;
    if (rc != EKM_OK) {
        buf_free(&fresh);
        return false;
    }
    buf_free(body);
    *body = fresh;
    request->body = body->data;
    request->body_len = body->len;
    return true;
}

void http_response_init(struct http_response *response)
{
    const struct buf empty = BUF_EMPTY(HTTP_BODY_MAX);
    response->body = empty;
    http_response_free(response);
}

void http_response_free(struct http_response *response)
{
    buf_free(&response->body);
    response->status = 0;
    response->maybe_sent = false;
    http_response_forget_header(response);
}

void http_response_forget_header(struct http_response *response)
{
    response->authenticate[0] = response->retry_after[0] = response->request_id[0] = '\0';
    response->content_type[0] = '\0';
}
