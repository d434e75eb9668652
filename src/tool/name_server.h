/*
 * Asks each name server by itself, because the system's resolver reports only the result of all.
 *
 * Owns nothing. One thread.
 */
#ifndef AKVEKM_TOOL_NAME_SERVER_H
#define AKVEKM_TOOL_NAME_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_SERVERS_MAX    3 /* as many as the C library asks */
#define NAME_SERVER_WAIT_MS 2000

struct name_server {
    char address[64];
};

/* The number of name servers; 0 if the system does not tell. */
size_t name_server_list(struct name_server out[NAME_SERVERS_MAX]);

/* Asks it for IPv4 and IPv6 addresses. `answer` is the result: "1 IPv4, no IPv6". False: no
 * address. */
bool name_server_ask(const struct name_server *server, const char *host, char *answer, size_t cap);

#endif
