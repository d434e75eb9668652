#include "tool/name_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "platform/system.h"

#define TYPE_A      1
#define TYPE_AAAA   28
#define MESSAGE_MAX 512

size_t name_server_list(struct name_server out[NAME_SERVERS_MAX])
{
    char line[256];
    size_t count = 0;
    FILE *file = fopen("/etc/resolv.conf", "r");
    while (file != NULL && count < NAME_SERVERS_MAX && fgets(line, sizeof line, file) != NULL) {
        static const char word[] = "nameserver";
        char *at = line + sizeof word - 1;
        if (strncmp(line, word, sizeof word - 1) != 0 || (*at != ' ' && *at != '\t')) {
            continue;
        }
        at += strspn(at, " \t");
        at[strcspn(at, " \t\r\n#")] = '\0';
        count += text_copy(out[count].address, sizeof out[count].address, at) && *at != '\0';
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return count;
}

/* RFC 1035, section 4: 0 if the name does not fit. */
static size_t name_server_question(const char *host, uint16_t id, uint8_t type,
                                   uint8_t out[MESSAGE_MAX])
{
    const uint8_t head[12] = {(uint8_t)(id >> 8), (uint8_t)id, 1, 0, 0, 1};
    size_t len = sizeof head;
    memcpy(out, head, sizeof head);
    while (*host != '\0') {
        size_t label = strcspn(host, ".");
        if (label == 0 || label > 63 || len + label > 260) {
            return 0;
        }
        out[len++] = (uint8_t)label;
        memcpy(out + len, host, label);
        len += label;
        host += label + (host[label] == '.');
    }
    const uint8_t tail[5] = {0, 0, type, 0, 1};
    memcpy(out + len, tail, sizeof tail);
    return len + sizeof tail;
}

static int name_server_connect(const struct name_server *server)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(53)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
    const struct sockaddr *address = NULL;
    socklen_t len = 0;
    if (inet_pton(AF_INET, server->address, &ipv4.sin_addr) == 1) {
        address = (const struct sockaddr *)&ipv4;
        len = sizeof ipv4;
    } else if (inet_pton(AF_INET6, server->address, &ipv6.sin6_addr) == 1) {
        address = (const struct sockaddr *)&ipv6;
        len = sizeof ipv6;
    }
    int fd = address != NULL ? (int)plat_socket(address->sa_family, SOCK_DGRAM, 0) : -1;
    if (fd >= 0 && connect(fd, address, len) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

/* The number of answers, or -1 with the reason. */
static int name_server_exchange(int fd, const char *host, uint8_t type, const char **reason)
{
    static const char *const codes[] = {"",       "FORMERR", "SERVFAIL", "NXDOMAIN: no such name",
                                        "NOTIMP", "REFUSED"};
    uint8_t question[MESSAGE_MAX], answer[MESSAGE_MAX];
    uint16_t id = 0;
    (void)plat_random(&id, sizeof id);
    size_t len = name_server_question(host, id, type, question);
    uint64_t end_ms = plat_now_ms() + NAME_SERVER_WAIT_MS;
    *reason = "cannot be asked";
    if (len == 0 || send(fd, question, len, MSG_NOSIGNAL) != (ssize_t)len) {
        return -1;
    }
    *reason = "no answer";
    for (uint64_t now_ms; (now_ms = plat_now_ms()) < end_ms;) {
        struct pollfd waiting = {fd, POLLIN, 0};
        if (poll(&waiting, 1, (int)(end_ms - now_ms)) != 1) {
            return -1;
        }
        ssize_t got = recv(fd, answer, sizeof answer, 0);
        if (got < 0) {
            *reason = "refuses the port";
            return -1;
        }
        if (got < 12 || answer[0] != question[0] || answer[1] != question[1]) {
            continue;
        }
        unsigned code = answer[3] & 15u;
        *reason = code < 6 ? codes[code] : "refuses";
        return code == 0 ? answer[6] << 8 | answer[7] : -1;
    }
    return -1;
}

bool name_server_ask(const struct name_server *server, const char *host, char *answer, size_t cap)
{
    const char *reason = "cannot be asked";
    int fd = name_server_connect(server);
    int ipv4 = fd >= 0 ? name_server_exchange(fd, host, TYPE_A, &reason) : -1;
    if (ipv4 < 0) {
        (void)text_copy(answer, cap, reason);
    } else {
        const char *other = "";
        int ipv6 = name_server_exchange(fd, host, TYPE_AAAA, &other);
        (void)text_format(answer, cap, "%d records for IPv4, %d for IPv6%s%s", ipv4,
                          ipv6 > 0 ? ipv6 : 0, ipv6 < 0 ? ": " : "", ipv6 < 0 ? other : "");
        reason = ipv6 > 0 ? "" : reason;
        ipv4 = ipv4 > 0 ? ipv4 : ipv6;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return ipv4 > 0;
}
