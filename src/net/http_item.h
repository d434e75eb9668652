/*
 * A request with its response and its outcome.
 *
 * A plain value of one thread. A caller that has several gives them as an array.
 */
#ifndef AKVEKM_NET_HTTP_ITEM_H
#define AKVEKM_NET_HTTP_ITEM_H

#include "net/http_message.h"

#define HTTP_AT_ONCE 8 /* requests in flight over one handle's connections */

struct http_item {
    const struct http_request *request;
    struct http_response *response; /* of http_response_init */
    enum ekm_rc rc;                 /* as of http_perform */
    struct call_error error;        /* which it would have set in the call */
    uint64_t epoch;                 /* of http_retry alone */
    struct http_copies *copies;     /* of http_copies alone */
};

#endif
