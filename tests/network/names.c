#include "names.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD   12
#define TYPE_A 1

static volatile sig_atomic_t names_manner_now;

static void names_on_signal(int number)
{
    (void)number;
    names_manner_now = NAMES_ANSWER;
}

/* The end of the question: the labels of the name, type and class. 0: it is not a question. */
static size_t names_question_end(const uint8_t *message, size_t len)
{
    size_t at = HEAD;
    while (at < len && message[at] != 0) {
        at += 1u + message[at];
    }
    return at + 5 <= len ? at + 5 : 0;
}

/* Turns the question into its answer, in place, and returns the length. */
static size_t names_answer(uint8_t *message, size_t end, enum names_manner manner)
{
    static const uint8_t address[] = {0xc0, HEAD, 0, TYPE_A, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 1};
    const uint8_t code = manner == NAMES_UNKNOWN ? 3 : manner == NAMES_BROKEN ? 2 : 0;
    const int has_address = code == 0 && message[end - 4] == 0 && message[end - 3] == TYPE_A;
    message[2] = 0x81; /* a response; recursion as it was desired */
    message[3] = 0x80 | code;
    memset(message + 4, 0, HEAD - 4);
    message[5] = 1; /* the question */
    message[7] = (uint8_t)has_address;
    if (!has_address) {
        return end;
    }
    memcpy(message + end, address, sizeof address);
    return end + sizeof address;
}

int names_run(const char *address, enum names_manner manner)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(53)}, peer;
    struct sigaction action = {.sa_handler = names_on_signal, .sa_flags = SA_RESTART};
    uint8_t message[4096];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    names_manner_now = (sig_atomic_t)manner;
    (void)sigaction(SIGUSR1, &action, NULL);
    if (fd < 0 || inet_pton(AF_INET, address, &own.sin_addr) != 1 ||
        bind(fd, (struct sockaddr *)(void *)&own, sizeof own) != 0) {
        perror("badnet: the name server");
        return 1;
    }
    printf("badnet: ready 53\n");
    (void)fflush(stdout);
    for (;;) {
        socklen_t peer_len = sizeof peer;
        ssize_t got = recvfrom(fd, message, sizeof message - 64, 0,
                               (struct sockaddr *)(void *)&peer, &peer_len);
        size_t end = got > HEAD ? names_question_end(message, (size_t)got) : 0;
        enum names_manner now = (enum names_manner)names_manner_now;
        if (end != 0 && now != NAMES_SILENT) {
            (void)sendto(fd, message, names_answer(message, end, now), 0,
                         (struct sockaddr *)(void *)&peer, peer_len);
        }
    }
}
