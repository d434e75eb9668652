/*
 * A request with its response and its outcome.
 *
 * A plain value of one thread. A caller with several requests passes an array of items.
 */
#ifndef AKVEKM_NET_HTTP_ITEM_H
#define AKVEKM_NET_HTTP_ITEM_H

#include "net/http_message.h"

#define HTTP_AT_ONCE 8 /* requests in flight over one handle's connections */

struct http_item {
    const struct http_request *request;
    struct http_response *response; /* initialized by http_response_init */
    enum ekm_rc rc;                 /* what http_perform would return */
    struct call_error error;        /* what http_perform would set in the call */
    uint64_t epoch;                 /* used by http_retry only */
    struct http_copies *copies;     /* used by http_copies only */
};

#endif
