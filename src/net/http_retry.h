/*
 * A request with its repeats: tries until an answer that stands, the call's deadline, or its abort.
 *
 * A host that throttles is asked by the rules of patience.h. Called by the vault floor; any thread.
 */
#ifndef AKVEKM_NET_HTTP_RETRY_H
#define AKVEKM_NET_HTTP_RETRY_H

#include "net/http.h"

/* EKM_OK with any status that stands (2xx, 3xx, 4xx; and 408, 429, 5xx when time ran out, a
 * Retry-After reaches beyond the deadline, or the request must not be repeated). Else the failure
 * of the last try, set in the call. */
enum ekm_rc http_retry_perform(struct call *call, const struct http_request *request,
                               struct http_response *response) EKM_MUST_CHECK;

/* One try of each, together and without repeats, for those who can go on by http_retry_perform
 * where an item's outcome does not stand (see http_perform_all). False: one of the hosts asked for
 * patience, or nothing could be sent; the call's error is as it was. */
bool http_retry_try_all(struct call *call, struct http_item *items, size_t count) EKM_MUST_CHECK;

/* Forgets every host's wish; at Free. */
void http_retry_reset(void);

#endif
