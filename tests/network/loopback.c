#include "loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in loopback_address(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static int loopback_socket(int flags)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

/* `shared`: also takes a port whose former connections are not yet forgotten by the kernel. */
static int loopback_bound(int *port, int shared)
{
    struct sockaddr_in address = loopback_address(*port);
    struct sockaddr *generic = (struct sockaddr *)(void *)&address;
    socklen_t len = sizeof address;
    int fd = loopback_socket(0);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &shared, sizeof shared);
    if (bind(fd, generic, len) != 0 || getsockname(fd, generic, &len) != 0) {
        (void)close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

int loopback_bind(int *port)
{
    return loopback_bound(port, 0);
}

int loopback_listen(int *port, int backlog)
{
    int fd = loopback_bound(port, 1);
    if (fd >= 0 && listen(fd, backlog) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

int loopback_connect(int port)
{
    struct sockaddr_in address = loopback_address(port);
    int fd = loopback_socket(0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)(void *)&address, sizeof address) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

int loopback_listen_full(int *fds, size_t count)
{
    int port = 0;
    fds[0] = loopback_listen(&port, 0);
    struct sockaddr_in address = loopback_address(port);
    for (size_t i = 1; i < count; i++) {
        fds[i] = loopback_socket(SOCK_NONBLOCK);
        (void)connect(fds[i], (struct sockaddr *)(void *)&address, sizeof address);
    }
    return fds[0] >= 0 ? port : -1;
}

void loopback_no_delay(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool loopback_carry(int from, int to)
{
    char bytes[16384];
    ssize_t got = recv(from, bytes, sizeof bytes, 0);
    for (ssize_t at = 0; got > 0 && at < got;) {
        ssize_t sent = send(to, bytes + at, (size_t)(got - at), MSG_NOSIGNAL);
        if (sent < 0) {
            return false;
        }
        at += sent;
    }
    return got > 0;
}
