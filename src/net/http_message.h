/*
 * What is asked over HTTPS and what comes back.
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
    const char *host;          /* of the url, for pooling and throttling */
    const char *authorization; /* the whole header with the token, or NULL */
    const char *header;        /* one more line, or NULL */
    const char *content_type;  /* or NULL without body */
    const uint8_t *body;
    size_t body_len;
    bool secret_body; /* no copy of it stays behind, at the price of a packet */
    bool to_entra;    /* a name that does not resolve is EKM_CONNECT_FAILED then */
    bool once;        /* has effects: never repeated once it may have left */
    bool local; /* to a service beside this process: plain HTTP allowed, never through a proxy */
    const struct http_detour *detour; /* or NULL */
    bool new_connection, new_lookup;  /* of a repeat: shares neither with the tries before */
    uint64_t until_ms; /* of a copy, which has its own connection: its time ends then */
    const struct throttle_pass *pass; /* or NULL: it is not sent if its turn ended meanwhile */
    /* Writes another body, for a repeat or a copy, where one counts only once. NULL: as it is. */
    enum ekm_rc (*rewrite)(struct call *call, void *context, struct buf *body);
    void *context;
    /* Reads an answer that is no success: sets what it means in the call and returns that; its row
     * tells whether another try may help. NULL: the status alone tells. */
    enum ekm_rc (*refusal)(struct call *call, const struct http_response *response);
};

struct http_response {
    long status; /* 0: no answer; with EKM_OK: not sent, as the host throttles by now */
    bool maybe_sent;
    struct buf body;         /* at most HTTP_BODY_MAX bytes */
    char authenticate[4096]; /* all WWW-Authenticate values, joined by ", " */
    char retry_after[64];
    char content_type[64];
    char request_id[64];
};
#define HTTP_BODY_MAX ((size_t)512 * 1024)

/* Gives it another body where it needs one. False: there is none, and it is as it was. */
bool http_message_rewrite(struct call *call, struct http_request *request, struct buf *body);

void http_response_init(struct http_response *response);
void http_response_free(struct http_response *response);
void http_response_forget_header(struct http_response *response); /* of a response before this */

#endif
