/*
 * The certificates of a server's chain, each by itself. A chain with an expired certificate fails,
 * even if the server's own is valid.
 *
 * Owns nothing. One thread.
 */
#ifndef AKVEKM_TOOL_CHAIN_H
#define AKVEKM_TOOL_CHAIN_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAIN_MAX 8

struct chain_link {
    char subject[200], issuer[200];
    int64_t not_before_s, not_after_s;
};

struct chain {
    struct chain_link links[CHAIN_MAX]; /* the server's first */
    size_t count;
    bool verified; /* up to a root that is trusted; else as the server sent it */
};

/* After the handshake. */
void chain_read(const SSL *ssl, struct chain *out);

/* The first that has ended, or has not begun; NULL if none. */
const struct chain_link *chain_find_outdated(const struct chain *chain, int64_t now_s);

#endif
