/*
 * A relay of TCP connections on 127.0.0.1 whose open connections can be made to go silent, and
 * whose new ones can be led elsewhere.
 *
 * One thread, one relay for each process. SIGUSR1: all connections that are open stay open, but
 * nothing is carried any more. SIGUSR2: new connections lead to `later_port`.
 */
#ifndef AKVEKM_NETWORK_RELAY_H
#define AKVEKM_NETWORK_RELAY_H

/* Prints "badnet: ready PORT" and runs until the process is ended. Another end is a failure. */
int relay_run(int port, int later_port);

#endif
