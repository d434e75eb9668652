/*
 * A server without TLS that gives every connection one fixed answer: a refusing proxy, or no HTTPS
 * server at all.
 *
 * Owns one listening socket on loopback and one thread.
 */
#ifndef AKVEKM_NETWORK_PLAIN_SERVER_H
#define AKVEKM_NETWORK_PLAIN_SERVER_H

#include <pthread.h>
#include <stdbool.h>

struct plain_server {
    int listener, port;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards answer */
    char answer[256];
};

/* False: there is no socket or no thread to be had. */
bool plain_server_start(struct plain_server *server);
/* What follows "HTTP/1.1 " on the status line of the next answers; "silence": none. */
void plain_server_answer(struct plain_server *server, const char *status);
void plain_server_stop(struct plain_server *server);

#endif
