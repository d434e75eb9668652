#include "plain_server.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

static void *plain_server_run(void *argument)
{
    struct plain_server *server = argument;
    char request[4096], answer[sizeof server->answer];
    for (int client; (client = accept(server->listener, NULL, NULL)) >= 0;) {
        if (recv(client, request, sizeof request, 0) > 0) {
            pthread_mutex_lock(&server->mutex);
            memcpy(answer, server->answer, sizeof answer);
            pthread_mutex_unlock(&server->mutex);
            if (strstr(answer, "silence") != NULL) {
                (void)recv(client, request, sizeof request, 0); /* until the client gives up */
            } else {
                (void)send(client, answer, strlen(answer), MSG_NOSIGNAL);
            }
        }
        close(client);
    }
    return NULL;
}

void plain_server_answer(struct plain_server *server, const char *status)
{
    pthread_mutex_lock(&server->mutex);
    snprintf(server->answer, sizeof server->answer,
             "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    pthread_mutex_unlock(&server->mutex);
}

bool plain_server_start(struct plain_server *server)
{
    pthread_mutex_init(&server->mutex, NULL);
    server->port = 0;
    server->listener = loopback_listen(&server->port, 16);
    plain_server_answer(server, "503 Nothing set");
    return server->listener >= 0 &&
           pthread_create(&server->thread, NULL, plain_server_run, server) == 0;
}

void plain_server_stop(struct plain_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    pthread_mutex_destroy(&server->mutex);
}
