/* An HTTP proxy for the scenarios: connect_proxy PORT. Every CONNECT, whatever the host, leads to
 * that port of this machine. Prints "ready N", its own port, then each request's first line. A
 * process for each connection. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

/* The request up to its empty line; what follows waits for our answer. */
static int read_request(int fd, char *request, size_t cap)
{
    size_t len = 0;
    while (len + 1 < cap && read(fd, request + len, 1) == 1) {
        request[++len] = '\0';
        if (len >= 4 && strcmp(request + len - 4, "\r\n\r\n") == 0) {
            return 1;
        }
    }
    return 0;
}

static void connect_proxy_serve(int client, int port)
{
    static const char answer[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    char request[8192] = "";
    int server = read_request(client, request, sizeof request) ? loopback_connect(port) : -1;
    if (server < 0 || write(client, answer, sizeof answer - 1) != (ssize_t)sizeof answer - 1) {
        return;
    }
    printf("%.*s\n", (int)strcspn(request, "\r"), request);
    fflush(stdout);
    struct pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    while (poll(ends, 2, -1) > 0) {
        if ((ends[0].revents != 0 && !loopback_carry(client, server)) ||
            (ends[1].revents != 0 && !loopback_carry(server, client))) {
            return;
        }
    }
}

int main(int argc, char **argv)
{
    int port = 0, listener = argc == 2 ? loopback_listen(&port, 64) : -1;
    if (listener < 0) {
        return 1;
    }
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    printf("ready %d\n", port);
    fflush(stdout);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client >= 0 && fork() == 0) {
            close(listener);
            connect_proxy_serve(client, atoi(argv[1]));
            return 0;
        }
        close(client);
    }
}
