/*
 * An HTTP request and its response.
 *
 * Plain values of one thread. A response owns its body, which is wiped when it is freed.
 */
#ifndef AKVEKM_NET_HTTP_MESSAGE_H
#define AKVEKM_NET_HTTP_MESSAGE_H

#include "base/buf.h"
#include "base/call.h"
#include "net/http_detour.h"

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE };
struct http_response;
struct throttle_pass;

struct http_request {
    enum http_method method;
    const char *url;           /* https://host/... */
    const char *host;          /* the URL's host, for pooling and throttling */
    const char *authorization; /* the whole header line with the token, or NULL */
    const char *header;        /* one more header line, or NULL */
    const char *content_type;  /* NULL without a body */
    const uint8_t *body;
    size_t body_len;
    bool secret_body; /* curl keeps no copy of it; costs one more packet */
    bool to_entra;    /* a name that does not resolve is EKM_CONNECT_FAILED then */
    bool once;        /* has side effects: no retry once it may have been sent */
    bool local; /* to a service beside this process: plain HTTP is allowed, no proxy is used */
    const struct http_detour *detour; /* or NULL */
    bool new_connection, new_lookup;  /* a retry: uses neither of the earlier tries */
    uint64_t until_ms; /* set for a copy, which has its own connection: it ends then */
    const struct throttle_pass *pass; /* or NULL; without its turn the request is not sent */
    /* Writes another body for a retry or a copy, if a service accepts each body only once; or NULL
     */
    enum ekm_rc (*rewrite)(struct call *call, void *context, struct buf *body);
    void *context;
    /* Reads a response that is no success. Sets its meaning in the call and returns it; the row of
     * the error table says whether a retry may help. NULL: the status alone decides. */
    enum ekm_rc (*refusal)(struct call *call, const struct http_response *response);
};

struct http_response {
    long status; /* 0: no response; 0 with EKM_OK: not sent, because the host throttles now */
    bool maybe_sent;
    struct buf body;         /* at most HTTP_BODY_MAX bytes */
    char authenticate[4096]; /* all WWW-Authenticate values, joined by ", " */
    char retry_after[64];
    char content_type[64], request_id[64];
};
#define HTTP_BODY_MAX ((size_t)512 * 1024)

/* Gives the request another body if it needs one. False: that failed; the request is unchanged. */
bool http_message_rewrite(struct call *call, struct http_request *request, struct buf *body);

void http_response_init(struct http_response *response);
void http_response_free(struct http_response *response);
void http_response_forget_header(struct http_response *response); /* keeps status and body */

#endif
