/*
 * The HTTPS side: connections, requests, faults, answers.
 *
 * One thread a connection, inside libmicrohttpd. server_stop ends what is waiting.
 */
#ifndef VAULTSIM_SERVER_H
#define VAULTSIM_SERVER_H

#include <stdbool.h>

#include "pki.h"

/* A socket bound to 127.0.0.1 and listening; port 0: the kernel's choice, *port is set. -1: errno
 * says why. */
int server_listen(int *port);
bool server_start(int listener, const struct pki *pki);
void server_stop(void);

#endif
