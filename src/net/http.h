/*
 * HTTPS requests by HTTP/1.1 over pooled connections. Only src/net uses curl.
 *
 * Owns the pool of handles, the shared DNS cache and the trust store. net/http_retry.c calls it,
 * from any thread between http_start and http_stop. A request ends with its time limit or with the
 * call's abort flag, whichever comes first (specification.md section 7).
 */
#ifndef AKVEKM_NET_HTTP_H
#define AKVEKM_NET_HTTP_H

#include "net/http_item.h"

/* EKM_CONFIGURATION with a reason: ca_file or the trust store cannot be read, or libcurl does not
 * use our OpenSSL. EKM_OUT_OF_MEMORY has no reason. */
enum ekm_rc http_start(const struct config *config, char *reason, size_t reason_cap) EKM_MUST_CHECK;
void http_stop(void); /* closes every connection; no request may be running */
/* Makes one try. It takes at most try_timeout_ms; the last retry that fits may take until the
 * call's deadline. EKM_OK: a complete response of any status. Otherwise the transport failed, and
 * the error is set in the call. Clears the response first. */
enum ekm_rc http_perform(struct call *call, const struct http_request *request,
                         struct http_response *response) EKM_MUST_CHECK;

/* Makes one try of each item, HTTP_AT_ONCE at a time, over one handle's connections. EKM_OK: every
 * item has its outcome, and the call's error is unchanged. Otherwise nothing was sent, and the
 * error is set in the call. */
enum ekm_rc http_perform_all(struct call *call, struct http_item *items,
                             size_t count) EKM_MUST_CHECK;

#endif
