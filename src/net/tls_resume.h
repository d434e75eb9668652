/*
 * TLS session resumption. A new connection resumes the newest session of its host, which costs a
 * fraction of a full handshake.
 *
 * Owns one session for each host, port and proxy. A session is used only if it was verified against
 * the certificates that are trusted now. http.c, http_easy.c and http_failure.c call it, from any
 * thread between start and stop.
 */
#ifndef AKVEKM_NET_TLS_RESUME_H
#define AKVEKM_NET_TLS_RESUME_H

#include <openssl/ssl.h>

#include "net/http_message.h"

void tls_resume_start(void);
/* Frees every session; no connection may be left. */
void tls_resume_stop(void);

/* The route of a connection. */
struct tls_resume_way {
    const char *proxy;   /* the proxy to the host; "" for none */
    uint64_t connect_us; /* the time to connect, without name lookup and TLS handshake */
    bool alone;          /* its thread makes no other connection meanwhile */
};

/* Prepares the context of one connection right before its handshake. The context must have its
 * store of trusted certificates already. A request that needs a new connection resumes no session.
 * If another connection may soon bring the peer's first session, an `alone` connection waits for it
 * for at most 50 ms. True: other connections may wait for this one, and tls_resume_settle must
 * follow. */
bool tls_resume_prepare(SSL_CTX *context, const struct call *call,
                        const struct http_request *request, const struct tls_resume_way *way);
/* The call's transfer is over: no connection waits for its session any more. */
void tls_resume_settle(const struct call *call);

/* Frees every session. Called when a certificate was refused, so that no older session is used. */
void tls_resume_forget(void);

#endif
