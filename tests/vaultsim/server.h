/*
 * Connections, requests, faults and responses of the services.
 *
 * One thread for each connection, inside libmicrohttpd. server_stop ends all waits.
 */
#ifndef VAULTSIM_SERVER_H
#define VAULTSIM_SERVER_H

#include <stdbool.h>

#include "pki.h"
#include "site.h"

/* One listener for each site. Only that of SITE_CLOUD speaks TLS. */
bool server_start(const int listeners[SITE_COUNT], const struct pki *pki);
void server_stop(void);

#endif
