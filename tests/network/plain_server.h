/*
 * A server without TLS that gives every connection one fixed answer: a proxy that refuses, or
 * something that is not an HTTPS server.
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

/* False: no socket or no thread could be made. */
bool plain_server_start(struct plain_server *server);
/* The text after "HTTP/1.1 " on the status line of the next answers; "silence": no answer. */
void plain_server_answer(struct plain_server *server, const char *status);
void plain_server_stop(struct plain_server *server);

#endif
