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

/* One listener a site; only that of SITE_CLOUD speaks TLS. */
bool server_start(const int listeners[SITE_COUNT], const struct pki *pki);
void server_stop(void);

#endif
