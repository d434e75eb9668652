/*
 * TLS sessions that clients resume, by tickets as real vaults give them (settings tls_tickets,
 * tls_1_2).
 *
 * Owns the key of the tickets, a new one each time that tickets are switched on. Any thread.
 */
#ifndef VAULTSIM_TLS_H
#define VAULTSIM_TLS_H

#include <microhttpd.h>
#include <stdbool.h>

/* Before the handshake of a new connection over TLS; does nothing to a plain one. */
void tls_begin(struct MHD_Connection *connection);
/* After it. */
bool tls_is_resumed(struct MHD_Connection *connection);

#endif
