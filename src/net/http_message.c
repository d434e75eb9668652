#include "net/http_message.h"

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
