/*
 * Addresses in doubt: behind each of them a try failed in the last minute. A host's name may have
 * several addresses, each with its own front end. New connections go to the other addresses, while
 * there is one.
 *
 * Owns a small table under a leaf lock. A struct http_trial belongs to one transfer. http_easy.c,
 * http.c and http_hedge.c call it, from any thread.
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

/* The addresses that one transfer used. */
struct http_trial {
    bool takes_any;
    size_t opened_count, refused_count, avoided_count;
    struct http_address opened[HTTP_TRIAL_MAX], refused[HTTP_TRIAL_MAX], avoided[HTTP_TRIAL_MAX];
    struct http_address peer; /* of the newest connection, of this transfer or an earlier one */
};

struct curl_sockaddr;
void http_trial_begin(struct http_trial *trial);
/* False: the address is in doubt, and curl must try the name's next address. */
bool http_trial_admits(struct http_trial *trial, const struct curl_sockaddr *to);
/* True: all addresses of the name are in doubt. Then their doubt ends, and the transfer may use any
 * of them. */
bool http_trial_takes_any(struct http_trial *trial);
/* The transfer failed: puts its addresses in doubt for a minute. */
void http_trial_doubt(const struct http_trial *trial);
/* Of a copy: where the other one waits for an answer counts as in doubt, for the copy alone. */
void http_trial_avoid(struct http_trial *trial, const struct http_trial *other);
/* The copy was served, and the other one not even connected: its addresses are in doubt now. */
void http_trial_doubt_beside(const struct http_trial *served, const struct http_trial *other);

void http_doubt_reset(void);

#endif
