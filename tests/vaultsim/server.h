/*
 * The services' side: connections, requests, faults, answers.
 *
 * One thread a connection, inside libmicrohttpd. server_stop ends what is waiting.
 */
#ifndef VAULTSIM_SERVER_H
#define VAULTSIM_SERVER_H

#include <stdbool.h>

#include "pki.h"
#include "site.h"

/* A socket bound to 127.0.0.1 and listening; port 0: the kernel's choice, *port is set. -1: errno
 * says why. */
int server_listen(int *port);
/* One listener a site; only that of SITE_CLOUD speaks TLS. */
bool server_start(const int listeners[SITE_COUNT], const struct pki *pki);
void server_stop(void);

#endif
