#include "network.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "libc_resolver.h"
#include "loopback.h"

/* In place of the C library's, for libcurl too. */
#define REPLACES __attribute__((visibility("default")))

#define FOREIGN_ADDRESS 0x7f000009u /* 127.0.0.9 */
#define CONNECTIONS_MAX 256
#define HANG_MAX_MS     120000

static const struct {
    const char *name, *text;
    uint32_t address;
} places[NETWORK_PLACES] = {
    {"vault.test", "127.0.0.1", 0x7f000001u},
    {"login.test", "127.0.0.2", 0x7f000002u},
};

static struct {
    atomic_bool running;
    atomic_int faults[NETWORK_PLACES], foreign;
    int vaultsim_port, listener_port, closed_port, full_port;
    int full_listener, full_clients[4];
    pthread_mutex_t mutex; /* guards what follows */
    int open[CONNECTIONS_MAX];
    size_t next;
} network = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct sockaddr_in address_of(uint32_t host, int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(host)};
    return address;
}

static int real_connect(int fd, const struct sockaddr_in *address)
{
    int (*real)(int, const struct sockaddr *, socklen_t) = NULL;
    void *found = dlsym(RTLD_NEXT, "connect");
    memcpy(&real, &found, sizeof found);
    return real(fd, (const struct sockaddr *)address, sizeof *address);
}

static void note_connection(int fd)
{
    pthread_mutex_lock(&network.mutex);
    network.open[network.next] = fd;
    network.next = (network.next + 1) % CONNECTIONS_MAX;
    pthread_mutex_unlock(&network.mutex);
}

static int connect_to_place(int fd, enum network_place place)
{
    struct sockaddr_in to = address_of(INADDR_LOOPBACK, network.vaultsim_port);
    switch ((enum network_fault)atomic_load(&network.faults[place])) {
    case NETWORK_REFUSED:
        to.sin_port = htons((uint16_t)network.closed_port);
        break;
    case NETWORK_UNREACHABLE:
        to.sin_addr.s_addr = htonl(INADDR_ALLHOSTS_GROUP); /* no TCP to a group: ENETUNREACH */
        break;
    case NETWORK_SILENT:
        to.sin_port = htons((uint16_t)network.full_port);
        break;
    case NETWORK_LISTENER:
        to.sin_port = htons((uint16_t)network.listener_port);
        break;
    case NETWORK_RIGHT:
    case NETWORK_NO_NAME:
    case NETWORK_NAME_HANGS:
        break;
    }
    note_connection(fd);
    return real_connect(fd, &to);
}

/* glibc declares it with a union of all addresses that is none to ISO C. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
REPLACES int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    struct sockaddr_in to;
    if (address->sa_family != AF_INET || len < sizeof to) {
        int (*real)(int, const struct sockaddr *, socklen_t) = NULL;
        void *found = dlsym(RTLD_NEXT, "connect");
        memcpy(&real, &found, sizeof found);
        return real(fd, address, len);
    }
    memcpy(&to, address, sizeof to);
    uint32_t host = ntohl(to.sin_addr.s_addr);
    bool ours = atomic_load(&network.running);
    for (int i = 0; ours && i < NETWORK_PLACES; i++) {
        if (host == places[i].address && ntohs(to.sin_port) == network.vaultsim_port) {
            return connect_to_place(fd, (enum network_place)i);
        }
    }
    if (ours && host == FOREIGN_ADDRESS) {
        atomic_fetch_add(&network.foreign, 1);
        to = address_of(INADDR_LOOPBACK, network.listener_port);
    } else if (host >> 24 != 127) {
        errno = ENETUNREACH;
        return -1;
    }
    return real_connect(fd, &to);
}
#pragma GCC diagnostic pop

static int network_resolve(const char *address, const char *service, const struct addrinfo *hints,
                           struct addrinfo **out)
{
    struct addrinfo numeric = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    if (hints != NULL) {
        numeric.ai_socktype = hints->ai_socktype;
        numeric.ai_protocol = hints->ai_protocol;
    }
    numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    return libc_resolve(address, service, &numeric, out);
}

REPLACES int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                         struct addrinfo **out)
{
    for (int i = 0; name != NULL && i < NETWORK_PLACES; i++) {
        if (strcmp(name, places[i].name) != 0) {
            continue;
        }
        for (int ms = 0; ms < HANG_MAX_MS && atomic_load(&network.running) &&
                         atomic_load(&network.faults[i]) == NETWORK_NAME_HANGS;
             ms += 20) {
            (void)usleep(20000);
        }
        return atomic_load(&network.faults[i]) == NETWORK_NO_NAME
                   ? EAI_NONAME
                   : network_resolve(places[i].text, service, hints, out);
    }
    struct in_addr numeric;
    if (name == NULL || inet_pton(AF_INET, name, &numeric) == 1) {
        return network_resolve(name, service, hints, out);
    }
    atomic_fetch_add(&network.foreign, 1);
    return network_resolve("127.0.0.9", service, hints, out);
}

/* Nobody accepts, and the queue is full: further first packets get no answer. */
static void fill_a_backlog(void)
{
    network.full_listener = loopback_listen(&network.full_port, 0);
    assert_true(network.full_listener >= 0);
    struct sockaddr_in address = address_of(INADDR_LOOPBACK, network.full_port);
    for (size_t i = 0; i < sizeof network.full_clients / sizeof network.full_clients[0]; i++) {
        network.full_clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)real_connect(network.full_clients[i], &address);
    }
}

void network_start(int vaultsim_port, int listener_port)
{
    network.vaultsim_port = vaultsim_port;
    network.listener_port = listener_port;
    /* Bound, but not listening: refused, and nobody else gets the port. */
    assert_true(loopback_bind(&network.closed_port) >= 0);
    fill_a_backlog();
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        network.open[i] = -1;
    }
    atomic_store(&network.running, true);
}

void network_stop(void)
{
    atomic_store(&network.running, false);
}

/* Only what leads to vaultsim or to the listener: a number may have another file by now. */
static bool is_ours(int fd)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    return fd >= 0 && getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
           peer.sin_family == AF_INET &&
           (ntohs(peer.sin_port) == network.vaultsim_port ||
            ntohs(peer.sin_port) == network.listener_port);
}

void network_set(enum network_place place, enum network_fault fault)
{
    atomic_store(&network.faults[place], (int)fault);
    pthread_mutex_lock(&network.mutex);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (is_ours(network.open[i])) {
            (void)shutdown(network.open[i], SHUT_RDWR);
        }
        network.open[i] = -1;
    }
    pthread_mutex_unlock(&network.mutex);
}

int network_foreign(void)
{
    return atomic_load(&network.foreign);
}
