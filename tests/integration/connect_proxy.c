/* An HTTP proxy for the scenarios: connect_proxy PORT. Every CONNECT, whatever the host, leads to
 * that port of this machine. Prints "ready N", its own port, then each request's first line. A
 * process for each connection. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in local(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)atoi(port));
    return address;
}

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

static int pass_on(int from, int to)
{
    char data[16384];
    ssize_t len = read(from, data, sizeof data), sent = 0;
    while (sent < len) {
        ssize_t written = write(to, data + sent, (size_t)(len - sent));
        if (written <= 0) {
            return 0;
        }
        sent += written;
    }
    return len > 0;
}

static void serve(int client, const char *port)
{
    static const char answer[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    char request[8192] = "";
    const struct sockaddr_in address = local(port);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (!read_request(client, request, sizeof request) ||
        connect(server, (const struct sockaddr *)&address, sizeof address) != 0 ||
        write(client, answer, sizeof answer - 1) != (ssize_t)sizeof answer - 1) {
        return;
    }
    printf("%.*s\n", (int)strcspn(request, "\r"), request);
    fflush(stdout);
    struct pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    while (poll(ends, 2, -1) > 0) {
        if ((ends[0].revents != 0 && !pass_on(client, server)) ||
            (ends[1].revents != 0 && !pass_on(server, client))) {
            return;
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = local("0");
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (argc != 2 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0) {
        return 1;
    }
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    printf("ready %d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client >= 0 && fork() == 0) {
            close(listener);
            serve(client, argv[1]);
            return 0;
        }
        close(client);
    }
}
