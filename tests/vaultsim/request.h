/*
 * One HTTPS request while it is served, and its route.
 *
 * Belongs to the thread of its connection. Texts are valid as long as the request.
 */
#ifndef VAULTSIM_REQUEST_H
#define VAULTSIM_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "operation.h"
#include "site.h"

struct request {
    struct MHD_Connection *connection;
    enum site site;
    char *uri;  /* as sent, with the query */
    char *path; /* decoded, without the query */
    char method[16];
    char host[256]; /* of the Host header, lower case, no port; of other sites: their name */
    char id[37];    /* x-ms-request-id */
    char *body;     /* always terminated */
    size_t body_len;
    bool has_begun, is_too_long;
    enum operation operation;
    char key_name[160], key_version[160];
};

/* The beginning of the path of the AKS token proxy, and the name in its certificate. */
#define REQUEST_TOKEN_PROXY      "/aks-token-proxy"
#define REQUEST_TOKEN_PROXY_NAME "token-proxy.vaultsim.test"

/* Reads the headers: method, host, path and, at a vault, the route. */
void request_begin(struct request *request, struct MHD_Connection *connection, const char *method,
                   const char *path);
void request_append(struct request *request, const char *data, size_t len);
void request_free(struct request *request);
/* NULL: absent */
const char *request_header(const struct request *request, const char *name);
const char *request_query(const struct request *request, const char *name);

/* Whether the path is this one. Ignores one more slash at the end (msal-node) or in front (msal4j).
 */
bool request_is_at(const struct request *request, const char *path);

#endif
