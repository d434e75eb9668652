#include "relay.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

#define LINKS_MAX 256

/* Two sockets: the client's and the server's. */
struct link {
    int ends[2]; /* -1: the slot is free */
    bool silent;
};

static struct link relay_links[LINKS_MAX];
static volatile sig_atomic_t relay_shall_silence, relay_leads_later;

static void relay_on_signal(int number)
{
    if (number == SIGUSR1) {
        relay_shall_silence = 1;
    } else {
        relay_leads_later = 1;
    }
}

static void relay_close(struct link *link)
{
    for (int i = 0; i < 2; i++) {
        (void)close(link->ends[i]);
        link->ends[i] = -1;
    }
}

static void relay_accept(int listener, int target_port)
{
    struct link *link = relay_links;
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    int server = client >= 0 ? loopback_connect(target_port) : -1;
    while (link < relay_links + LINKS_MAX && link->ends[0] >= 0) {
        link++;
    }
    if (server < 0 || link == relay_links + LINKS_MAX) {
        (void)close(client);
        (void)close(server);
        return;
    }
    *link = (struct link){{client, server}, false};
    for (int i = 0; i < 2; i++) {
        loopback_no_delay(link->ends[i]);
    }
}

/* When one side closes, both are closed. */
static void relay_carry(struct link *link, int from)
{
    if (!loopback_carry(link->ends[from], link->ends[1 - from])) {
        relay_close(link);
    }
}

static void relay_wait(int listener, struct pollfd polled[2 * LINKS_MAX + 1], const sigset_t *mask)
{
    polled[2 * LINKS_MAX] = (struct pollfd){listener, POLLIN, 0};
    for (size_t i = 0; i < 2 * LINKS_MAX; i++) {
        const struct link *link = &relay_links[i / 2];
        polled[i] = (struct pollfd){link->silent ? -1 : link->ends[i % 2], POLLIN, 0};
    }
    if (ppoll(polled, 2 * LINKS_MAX + 1, NULL, mask) < 0) {
        for (size_t i = 0; i <= 2 * LINKS_MAX; i++) {
            polled[i].revents = 0;
        }
    }
    if (relay_shall_silence) {
        relay_shall_silence = 0;
        for (size_t i = 0; i < LINKS_MAX; i++) {
            relay_links[i].silent = relay_links[i].ends[0] >= 0;
        }
    }
}

static int relay_listen(void)
{
    int port = 0, listener = loopback_listen(&port, 64);
    if (listener >= 0) {
        printf("badnet: ready %d\n", port);
        (void)fflush(stdout);
    }
    return listener;
}

int relay_run(int port, int later_port)
{
    static struct pollfd polled[2 * LINKS_MAX + 1];
    struct sigaction action = {.sa_handler = relay_on_signal};
    sigset_t blocked, former;
    for (size_t i = 0; i < LINKS_MAX; i++) {
        relay_links[i] = (struct link){{-1, -1}, false};
    }
    /* Signals are delivered only while it waits. */
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGUSR1);
    (void)sigaddset(&blocked, SIGUSR2);
    (void)sigprocmask(SIG_BLOCK, &blocked, &former);
    (void)sigaction(SIGUSR1, &action, NULL);
    (void)sigaction(SIGUSR2, &action, NULL);
    int listener = relay_listen();
    while (listener >= 0) {
        relay_wait(listener, polled, &former);
        for (size_t i = 0; i < 2 * LINKS_MAX; i++) {
            struct link *link = &relay_links[i / 2];
            if (polled[i].revents != 0 && link->ends[i % 2] == polled[i].fd && !link->silent) {
                relay_carry(link, (int)(i % 2));
            }
        }
        if (polled[2 * LINKS_MAX].revents != 0) {
            relay_accept(listener, relay_leads_later ? later_port : port);
        }
    }
    perror("badnet: the relay");
    return 1;
}
