/*
 * Addresses behind which something was sick a moment ago. A host's name may have several, each with
 * a front end of its own: for a minute new connections go to the others, while there is one.
 *
 * Owns that small table, under a leaf lock; a struct http_trial is of one transfer. Used by
 * http_easy.c; any thread.
 */
#ifndef AKVEKM_NET_HTTP_DOUBT_H
#define AKVEKM_NET_HTTP_DOUBT_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_TRIAL_MAX 8

struct http_address {
    int family; /* 0: none */
    unsigned char bytes[16];
};

/* Where a transfer went. */
struct http_trial {
    bool takes_any;
    size_t opened_count, refused_count;
    struct http_address opened[HTTP_TRIAL_MAX], refused[HTTP_TRIAL_MAX];
    struct http_address peer; /* of the connection begun last, in this transfer or before */
};

struct curl_sockaddr;
void http_trial_begin(struct http_trial *trial);
/* False: curl is to go on with the name's next address. */
bool http_trial_admits(struct http_trial *trial, const struct curl_sockaddr *to);
/* Whether there is no address that is not doubted: then all are in order again. */
bool http_trial_takes_any(struct http_trial *trial);
/* What it came to puts its addresses in doubt. */
void http_trial_doubt(const struct http_trial *trial);

void http_doubt_reset(void);

#endif
