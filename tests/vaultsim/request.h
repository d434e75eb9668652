/*
 * One HTTPS request while it is served, and what its route means.
 *
 * Belongs to the thread of its connection. Texts live as long as the request.
 */
#ifndef VAULTSIM_REQUEST_H
#define VAULTSIM_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "site.h"

enum operation {
    OP_GET_KEY,
    OP_LIST_KEYS,
    OP_LIST_VERSIONS,
    OP_CREATE,
    OP_IMPORT,
    OP_UPDATE,
    OP_DELETE,
    OP_LIST_DELETED,
    OP_GET_DELETED,
    OP_PURGE,
    OP_RECOVER,
    OP_BACKUP,
    OP_RESTORE,
    OP_ROTATE,
    OP_GET_POLICY,
    OP_SET_POLICY,
    OP_ENCRYPT,
    OP_DECRYPT,
    OP_WRAP,
    OP_UNWRAP,
    OP_SIGN,
    OP_VERIFY,
    OP_HEALTH,
    OP_UNKNOWN,
};

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

/* What the path of the AKS token proxy begins with, and the name in its certificate. */
#define REQUEST_TOKEN_PROXY      "/aks-token-proxy"
#define REQUEST_TOKEN_PROXY_NAME "token-proxy.vaultsim.test"

/* Takes the headers in: method, host, path and, at a vault, the route. */
void request_begin(struct request *request, struct MHD_Connection *connection, const char *method,
                   const char *path);
void request_append(struct request *request, const char *data, size_t len);
void request_free(struct request *request);
/* NULL: absent */
const char *request_header(const struct request *request, const char *name);
const char *request_query(const struct request *request, const char *name);

/* Whether the path is this one. One slash more at the end, as msal-node writes it, or in front, as
 * msal4j does, does not count. */
bool request_is_at(const struct request *request, const char *path);

const char *operation_counter(enum operation operation);    /* the name in "by" */
const char *operation_permission(enum operation operation); /* the word of the access policies */
const char *operation_action(enum operation operation);     /* the data action of RBAC */
bool operation_is_crypto(enum operation operation);
bool operation_writes(enum operation operation); /* changes what the vault holds */

#endif
