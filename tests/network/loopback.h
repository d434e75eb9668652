/*
 * TCP sockets on 127.0.0.1, for every server and client of the tests: how they are made stands here
 * and nowhere else.
 *
 * Owns nothing: each descriptor is the caller's and is close-on-exec. -1: errno says why.
 */
#ifndef AKVEKM_NETWORK_LOOPBACK_H
#define AKVEKM_NETWORK_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

/* Bound, so that nobody else gets the port, but deaf: connections are refused. *port: 0 for the
 * kernel's choice; set in any case. */
int loopback_bind(int *port);
/* The same, and listening. */
int loopback_listen(int *port, int backlog);
int loopback_connect(int port);
/* fds[0] listens, the others fill its queue: the next handshake of TCP times out. The port, or -1.
 */
int loopback_listen_full(int *fds, size_t count);
/* Small messages go at once. */
void loopback_no_delay(int fd);
/* Hands on what came at one end. False: an end is gone. */
bool loopback_carry(int from, int to);

#endif
