#include "plain_server.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void *serve(void *argument)
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

void plain_server_start(struct plain_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    pthread_mutex_init(&server->mutex, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    server->port = ntohs(address.sin_port);
    plain_server_answer(server, "503 Nothing set");
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

void plain_server_stop(struct plain_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    pthread_mutex_destroy(&server->mutex);
}
