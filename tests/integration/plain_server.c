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
    const struct plain_server *server = argument;
    char request[4096];
    for (int client; (client = accept(server->listener, NULL, NULL)) >= 0;) {
        if (recv(client, request, sizeof request, 0) > 0) {
            (void)send(client, server->answer, strlen(server->answer), MSG_NOSIGNAL);
        }
        close(client);
    }
    return NULL;
}

void plain_server_answer(struct plain_server *server, const char *status)
{
    snprintf(server->answer, sizeof server->answer,
             "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
}

void plain_server_start(struct plain_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
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
}
