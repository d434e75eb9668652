/*
 * Servers in the place of the vault or the login service: some cannot prove who they are, one can
 * but does not speak HTTP correctly.
 *
 * By default it is a host outside Azure with a valid certificate: it answers, and remembers what it
 * received. One for each process.
 */
#ifndef AKVEKM_INTEGRATION_FAULTS_LISTENER_H
#define AKVEKM_INTEGRATION_FAULTS_LISTENER_H

#include <stdbool.h>

#include "harness.h"

enum listener {
    FOREIGN_HOST,
    EXPIRED_CERTIFICATE,
    FUTURE_CERTIFICATE,
    OTHER_HOST,
    OTHER_AUTHORITY,
    OLD_PROTOCOL,
    NO_HANDSHAKE,
    BROKEN_HANDSHAKE,
    NO_TLS,
    NO_HTTP,          /* greets like a mail server */
    CUT_HEADER,       /* ends inside the header */
    SLOW_HEADER,      /* a byte at a time */
    LONG_HEADER_LINE, /* 200 KiB in one line */
    LONG_HEADER,      /* 200 KiB in many */
    ZERO_IN_HEADER,
    BAD_CHUNKS,
    BAD_LENGTH,
    ENDLESS_INTERIM /* 100 Continue, again and again */
};

/* Its port. Certificates are issued by vaultsim's own authority. */
int listener_start(const struct sim *sim);
void listener_stop(void);
void listener_set(enum listener manner);
/* Whether it was told a client secret or a token as a foreign host. */
bool listener_was_told(void);

#endif
