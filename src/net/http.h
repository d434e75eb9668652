/*
 * HTTPS requests, by HTTP/1.1 over pooled connections: with its neighbours the only user of curl.
 * Owns the pool of handles, the shared DNS cache and the trust store. Called by net/http_retry.c;
 * any thread between http_start and http_stop. A request ends by its time or by the call's abort
 * flag, whichever is first (specification.md section 7).
 */
#ifndef AKVEKM_NET_HTTP_H
#define AKVEKM_NET_HTTP_H

#include "net/http_item.h"

/* EKM_CONFIGURATION with a reason: ca_file or trust store unreadable, or libcurl without
 * OpenSSL. */
enum ekm_rc http_start(const struct config *config, char *reason, size_t reason_cap) EKM_MUST_CHECK;
void http_stop(void); /* closes every connection; no request may be running */
/* One try, at most try_timeout_ms (a last repeat: the call's deadline). EKM_OK: a complete answer
 * of any status; else the transport's failure, set in the call. The answer is cleared first. */
enum ekm_rc http_perform(struct call *call, const struct http_request *request,
                         struct http_response *response) EKM_MUST_CHECK;

/* One try of each, HTTP_AT_ONCE at a time, over one handle's connections. EKM_OK: every item has
 * its outcome, the call's error stays; else (set in the call) nothing was sent. */
enum ekm_rc http_perform_all(struct call *call, struct http_item *items,
                             size_t count) EKM_MUST_CHECK;

#endif
