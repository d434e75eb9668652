/*
 * HTTPS requests over pooled, kept-alive connections: with its neighbours the only user of curl.
 *
 * Owns the pool of handles, the shared DNS cache and the trust store. Called by net/http_retry.c;
 * any thread between http_start and http_stop. A request ends by its time or by the call's abort
 * flag, whichever is first (specification.md section 7).
 */
#ifndef AKVEKM_NET_HTTP_H
#define AKVEKM_NET_HTTP_H

#include "base/buf.h"
#include "base/call.h"

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE };

struct http_request {
    enum http_method method;
    const char *url;           /* https://host/... */
    const char *host;          /* of the url, for pooling and throttling */
    const char *authorization; /* the whole header with the token, or NULL */
    const char *content_type;  /* or NULL without body */
    const uint8_t *body;
    size_t body_len;
    bool to_entra; /* a name that does not resolve is EKM_CONNECT_FAILED then */
    bool once;     /* has effects: never repeated once it may have left */
};

struct http_response {
    long status; /* 0: no answer */
    bool maybe_sent;
    struct buf body;         /* at most HTTP_BODY_MAX bytes */
    char authenticate[4096]; /* all WWW-Authenticate values, joined by ", " */
    char retry_after[64];
    char request_id[64];
};
#define HTTP_BODY_MAX ((size_t)512 * 1024)
/* EKM_CONFIGURATION: ca_file or trust store unreadable, no OpenSSL in libcurl; reason says it. */
enum ekm_rc http_start(const struct config *config, char *reason, size_t reason_cap) EKM_MUST_CHECK;
void http_stop(void); /* closes every connection; no request may be running */
void http_response_init(struct http_response *response);
void http_response_free(struct http_response *response);
/* One try, at most try_timeout_ms and the call's deadline. EKM_OK: a complete answer of any status;
 * else the transport's failure, set in the call. The answer is cleared first. */
enum ekm_rc http_perform(struct call *call, const struct http_request *request,
                         struct http_response *response) EKM_MUST_CHECK;

struct http_item {
    const struct http_request *request;
    struct http_response *response; /* of http_response_init */
    enum ekm_rc rc;                 /* as of http_perform */
    struct call_error error;        /* which it would have set in the call */
    uint64_t epoch;                 /* exchange's own */
};
#define HTTP_AT_ONCE 8
/* One try of each, HTTP_AT_ONCE at a time, from this thread, over one handle's connections. EKM_OK:
 * every item has its outcome, the call's error stays; else (set in the call) nothing was sent. */
enum ekm_rc http_perform_all(struct call *call, struct http_item *items,
                             size_t count) EKM_MUST_CHECK;

#endif
