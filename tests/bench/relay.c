#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"
#include "measure.h"

#define LINKS_MAX 256
#define CHUNK_MAX 16384

/* Bytes from one side that are to be forwarded when they are due; empty: that side closed. */
struct chunk {
    struct chunk *next;
    uint64_t due_ns;
    size_t len, sent;
    uint8_t bytes[];
};

/* Of a link between two sockets: 0 the client's, 1 the vault's. */
struct link {
    bool used, is_silent;
    int ends[2];
    bool has_ended[2]; /* bytes that arrive from this end */
    uint64_t begins_ns;
    struct chunk *first[2], **last[2]; /* bytes of this end that are delayed */
};

static struct {
    int listener, target_port;
    atomic_uint latency_us;
    atomic_bool silences;
    struct link links[LINKS_MAX];
} relay;

static int connect_to(int port)
{
    int fd = loopback_connect(port);
    if (fd < 0) {
        give_up("the relay cannot reach the vault");
    }
    return fd;
}

static void accept_one(void)
{
    int client = accept4(relay.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct link *link = relay.links;
    while (link < relay.links + LINKS_MAX && link->used) {
        link++;
    }
    if (client < 0 || link == relay.links + LINKS_MAX) {
        give_up("the relay is full");
    }
    memset(link, 0, sizeof *link);
    link->used = true;
    link->begins_ns = clock_ns() + (uint64_t)atomic_load(&relay.latency_us) * 1000;
    link->ends[0] = client;
    link->ends[1] = connect_to(relay.target_port);
    (void)fcntl(link->ends[1], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 2; i++) {
        link->last[i] = &link->first[i];
        loopback_no_delay(link->ends[i]);
    }
}

static void relay_take(struct link *link, int from)
{
    uint8_t bytes[CHUNK_MAX];
    ssize_t got = recv(link->ends[from], bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    size_t len = got > 0 ? (size_t)got : 0;
    if (link->is_silent) {
        if (len == 0) {
            close(link->ends[0]);
            close(link->ends[1]);
            link->used = false;
        }
        return;
    }
    struct chunk *chunk = malloc(sizeof *chunk + len);
    if (chunk == NULL) {
        give_up("no memory");
    }
    uint64_t now_ns = clock_ns();
    now_ns = now_ns < link->begins_ns ? link->begins_ns : now_ns;
    *chunk = (struct chunk){.due_ns = now_ns + (uint64_t)atomic_load(&relay.latency_us) * 500,
                            .len = len};
    memcpy(chunk->bytes, bytes, len);
    *link->last[from] = chunk;
    link->last[from] = &chunk->next;
    link->has_ended[from] = len == 0;
}

/* Forwards the bytes that are due. */
static void hand_on(struct link *link, int from, uint64_t now_ns)
{
    struct chunk *chunk;
    int to = link->ends[1 - from];
    while ((chunk = link->first[from]) != NULL && chunk->due_ns <= now_ns) {
        if (chunk->len == 0) {
            (void)shutdown(to, SHUT_WR);
        } else {
            ssize_t put =
                send(to, chunk->bytes + chunk->sent, chunk->len - chunk->sent, MSG_NOSIGNAL);
            if (put < 0 && errno == EAGAIN) {
                return;
            }
            chunk->sent += put > 0 ? (size_t)put
                                   : chunk->len - chunk->sent; /* a broken end accepts everything */
            if (chunk->sent < chunk->len) {
                continue;
            }
        }
        link->first[from] = chunk->next;
        if (link->first[from] == NULL) {
            link->last[from] = &link->first[from];
        }
        free(chunk);
    }
}

static void close_if_done(struct link *link)
{
    if (link->has_ended[0] && link->has_ended[1] && link->first[0] == NULL &&
        link->first[1] == NULL) {
        close(link->ends[0]);
        close(link->ends[1]);
        link->used = false;
    }
}

static void relay_watch(struct pollfd *polled, int fd, bool wanted)
{
    *polled = (struct pollfd){wanted ? fd : -1, POLLIN, 0};
}

static uint64_t next_due(void)
{
    uint64_t due_ns = UINT64_MAX;
    for (size_t i = 0; i < LINKS_MAX; i++) {
        for (int from = 0; from < 2 && relay.links[i].used; from++) {
            const struct chunk *chunk = relay.links[i].first[from];
            due_ns = chunk != NULL && chunk->due_ns < due_ns ? chunk->due_ns : due_ns;
        }
    }
    return due_ns;
}

static void wait_for_work(struct pollfd polled[2 * LINKS_MAX + 1])
{
    relay_watch(&polled[2 * LINKS_MAX], relay.listener, true);
    for (size_t i = 0; i < 2 * LINKS_MAX; i++) {
        const struct link *link = &relay.links[i / 2];
        relay_watch(&polled[i], link->ends[i % 2], link->used && !link->has_ended[i % 2]);
    }
    uint64_t due_ns = next_due(), now_ns = clock_ns();
    uint64_t wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    struct timespec wait = {(time_t)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u)};
    if (ppoll(polled, 2 * LINKS_MAX + 1, due_ns == UINT64_MAX ? NULL : &wait, NULL) < 0 &&
        errno != EINTR) {
        give_up("the relay cannot wait");
    }
}

/* Bytes that are delayed are lost as well. */
static void silence_all(void)
{
    for (struct link *link = relay.links; link < relay.links + LINKS_MAX; link++) {
        for (int from = 0; from < 2 && link->used; from++) {
            while (link->first[from] != NULL) {
                struct chunk *chunk = link->first[from];
                link->first[from] = chunk->next;
                free(chunk);
            }
            link->last[from] = &link->first[from];
        }
        link->is_silent = link->used;
    }
}

static void *relay_run(void *unused)
{
    static struct pollfd polled[2 * LINKS_MAX + 1];
    (void)unused;
    for (;;) {
        wait_for_work(polled);
        if (atomic_exchange(&relay.silences, false)) {
            silence_all();
        }
        for (size_t i = 0; i < 2 * LINKS_MAX; i++) {
            if (polled[i].fd >= 0 && polled[i].revents != 0 && relay.links[i / 2].used) {
                relay_take(&relay.links[i / 2], (int)(i % 2));
            }
        }
        uint64_t now_ns = clock_ns();
        for (size_t i = 0; i < LINKS_MAX; i++) {
            if (relay.links[i].used) {
                hand_on(&relay.links[i], 0, now_ns);
                hand_on(&relay.links[i], 1, now_ns);
                close_if_done(&relay.links[i]);
            }
        }
        if (polled[2 * LINKS_MAX].revents != 0) {
            accept_one();
        }
    }
    return NULL;
}

void relay_set_latency_ms(unsigned latency_ms)
{
    atomic_store(&relay.latency_us, latency_ms * 1000);
}

void relay_silence(void)
{
    atomic_store(&relay.silences, true);
}

int relay_start(int target_port)
{
    pthread_t thread;
    int port = 0;
    relay.target_port = target_port;
    relay.listener = loopback_listen(&port, 256);
    if (relay.listener < 0 || pthread_create(&thread, NULL, relay_run, NULL) != 0) {
        give_up("no relay");
    }
    pthread_detach(thread);
    return port;
}
