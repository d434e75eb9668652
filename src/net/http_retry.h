/*
 * Sends a request and retries it until a final response, the call's deadline or its abort.
 *
 * throttle.h says when a host that throttles gets a request. src/vault calls it, from any thread.
 * Rule: specification.md section 7.
 */
#ifndef AKVEKM_NET_HTTP_RETRY_H
#define AKVEKM_NET_HTTP_RETRY_H

#include "net/http.h"

/* EKM_OK: a final response, of status 2xx, 3xx or 4xx. It may also be a 408, 429 or 5xx if the time
 * ran out, if Retry-After reaches beyond the deadline, or if the request must not be retried.
 * Otherwise the failure of the last try, set in the call. */
enum ekm_rc http_retry_perform(struct call *call, const struct http_request *request,
                               struct http_response *response) EKM_MUST_CHECK;

/* Makes one try of each item, together and without retries (see http_perform_all). If an item's
 * outcome is not final, the caller can go on with http_retry_perform. False: one of the hosts
 * throttles, or nothing could be sent. The call's error is unchanged. */
bool http_retry_try_all(struct call *call, struct http_item *items, size_t count) EKM_MUST_CHECK;

/* Forgets the throttling and the response times of all hosts. Called at Free. */
void http_retry_reset(void);

#endif
