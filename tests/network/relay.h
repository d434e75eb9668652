/*
 * A relay of TCP connections on 127.0.0.1. On a signal, open connections go silent or new ones go
 * to another port.
 *
 * One thread, one relay for each process. SIGUSR1: all open connections stay open, but nothing is
 * forwarded any more. SIGUSR2: new connections go to `later_port`.
 */
#ifndef AKVEKM_NETWORK_RELAY_H
#define AKVEKM_NETWORK_RELAY_H

/* Prints "badnet: ready PORT" and runs until the process is ended. It returns only after a failure.
 */
int relay_run(int port, int later_port);

#endif
