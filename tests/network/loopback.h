/*
 * TCP sockets on 127.0.0.1, for every server and client of the tests. Only this module makes them.
 *
 * Owns nothing: each descriptor belongs to the caller and is close-on-exec. -1: errno has the
 * reason.
 */
#ifndef AKVEKM_NETWORK_LOOPBACK_H
#define AKVEKM_NETWORK_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

/* Binds a port, so that nobody else gets it, but does not listen: connections are refused. *port: 0
 * lets the kernel choose; it is always set. */
int loopback_bind(int *port);
/* The same, and listening. */
int loopback_listen(int *port, int backlog);
int loopback_connect(int port);
/* fds[0] listens, the others fill its queue, so that the next TCP handshake times out. Returns the
 * port, or -1. */
int loopback_listen_full(int *fds, size_t count);
/* Small messages are sent at once. */
void loopback_no_delay(int fd);
/* Forwards what arrived at one end. False: an end has closed. */
bool loopback_carry(int from, int to);

#endif
