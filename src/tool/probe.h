/*
 * Tests the route to a host below HTTP, so that each fault gets its own name. Owns a socket and
 * what is built on it; probe_close must follow. One thread.
 */
#ifndef AKVEKM_TOOL_PROBE_H
#define AKVEKM_TOOL_PROBE_H

#include <openssl/ssl.h>

#include "base/call.h"
#include "tool/chain.h"

#define PROBE_ADDRESSES_MAX 8
#define PROBE_WAIT_S        5

struct probe_address {
    char text[64];
    bool ipv6;
    uint64_t ms;
    char problem[80]; /* "": connected */
};

struct probe {
    char host[TEXT_HOST_CAP], port[8]; /* what is connected to */
    struct probe_address addresses[PROBE_ADDRESSES_MAX];
    size_t count;
    int socket; /* -1: none */
    SSL_CTX *context;
    SSL *ssl;
};

struct probe_certificate {
    long verdict; /* X509_V_OK */
    char tls[16];
    struct chain chain;
};

void probe_init(struct probe *probe, const char *host, const char *port);

/* By the system's resolver. False: `problem` says why. */
bool probe_resolve(struct probe *probe, char *problem, size_t cap);

/* Tries each address; the first that connects is kept. False: none does. */
bool probe_connect(struct probe *probe);

/* Asks a proxy for the way to host:port. False: `problem` has its answer. */
bool probe_tunnel(struct probe *probe, const char *host, const char *port, char *problem,
                  size_t cap);

/* TLS to `name` with the library's own trust. Reads the certificate, trusted or not. */
bool probe_shake(struct probe *probe, const struct call *call, const char *name,
                 struct probe_certificate *out, char *problem, size_t cap);

/* Asks for `path` without a token, and reads the head of the response. probe_field: a field of that
 * head, or "". */
bool probe_ask(struct probe *probe, const char *name, const char *path, char *head, size_t cap);
void probe_field(const char *head, const char *name, char *out, size_t cap);
void probe_close(struct probe *probe);

#endif
