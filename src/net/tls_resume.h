/*
 * TLS sessions for connections to come: a connection to a host that this process knows resumes the
 * newest session of it, which costs a fraction of a full handshake.
 *
 * Owns one session for each host, port and proxy, and only those that were verified against the
 * certificates that are trusted now. Called by http.c, http_easy.c and http_failure.c; any thread
 * between start and stop.
 */
#ifndef AKVEKM_NET_TLS_RESUME_H
#define AKVEKM_NET_TLS_RESUME_H

#include <openssl/ssl.h>

#include "net/http_message.h"

void tls_resume_start(void);
/* Frees every session; no connection may be left. */
void tls_resume_stop(void);

/* How a connection comes about. */
struct tls_resume_way {
    const char *proxy;   /* that leads to the host; "" for none */
    uint64_t connect_us; /* what the way took, as far as the TLS handshake */
    bool alone;          /* its thread makes no other connection meanwhile */
};

/* To a context of one connection, right before its handshake; its store of trusted certificates is
 * there already. A request that must share nothing with what failed resumes nothing. Where another
 * connection may soon bring the peer's first session, one that is alone waits for it for some
 * milliseconds. True: others may wait for this one, and tls_resume_settle must follow. */
bool tls_resume_prepare(SSL_CTX *context, const struct call *call,
                        const struct http_request *request, const struct tls_resume_way *way);
/* The call's transfer is over: nobody waits for a session of it any more. */
void tls_resume_settle(const struct call *call);

/* A certificate was refused: no session that was made before is resumed. */
void tls_resume_forget(void);

#endif
