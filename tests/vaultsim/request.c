#include "request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encode.h"

#define BODY_MAX     (1 << 20)
#define SEGMENTS_MAX 6

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *request_query(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool request_is_at(const struct request *request, const char *path)
{
    size_t len = strlen(path);
    const char *own = request->path + (strncmp(request->path, "//", 2) == 0 ? 1 : 0);
    return strncmp(own, path, len) == 0 && (own[len] == '\0' || strcmp(own + len, "/") == 0);
}

static void take_host(struct request *request)
{
    static const char *const names[SITE_COUNT] = {NULL, "imds", "arc", "app-service"};
    if (request->site != SITE_CLOUD) {
        snprintf(request->host, sizeof request->host, "%s", names[request->site]);
        return;
    }
    const char *host = request_header(request, "Host");
    snprintf(request->host, sizeof request->host, "%s", host != NULL ? host : "");
    char *port = strrchr(request->host, ':');
    if (port != NULL && strspn(port + 1, "0123456789") == strlen(port + 1)) {
        *port = '\0';
    }
    for (char *c = request->host; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
}

/* The token proxy of an AKS cluster with identity bindings is Entra at another address. */
static void take_proxy(struct request *request)
{
    size_t len = strlen(REQUEST_TOKEN_PROXY);
    if (request->site == SITE_CLOUD &&
        strncmp(request->path, REQUEST_TOKEN_PROXY "/", len + 1) == 0) {
        memmove(request->path, request->path + len, strlen(request->path + len) + 1);
        snprintf(request->host, sizeof request->host, "login.microsoftonline.com");
    }
}

/* Some middleboxes pass only POST; this is the documented way to send other methods. */
static void take_method(struct request *request, const char *method)
{
    const char *real = request_header(request, "X-HTTP-METHOD");
    bool is_tunnelled = real != NULL && strcmp(method, "POST") == 0;
    snprintf(request->method, sizeof request->method, "%s", is_tunnelled ? real : method);
}

static enum operation by_method(const char *method, enum operation get, enum operation delete,
                                enum operation put, enum operation patch)
{
    return strcasecmp(method, "GET") == 0      ? get
           : strcasecmp(method, "DELETE") == 0 ? delete
           : strcasecmp(method, "PUT") == 0    ? put
           : strcasecmp(method, "PATCH") == 0  ? patch
                                               : OP_UNKNOWN;
}

/* parts: the segments after /keys/, `count` of them, empty ones included. */
static enum operation key_operation(struct request *request, char **parts, size_t count)
{
    const char *method = request->method, *second = count > 1 ? parts[1] : "";
    snprintf(request->key_name, sizeof request->key_name, "%s", parts[0]);
    if (count > 2 && parts[2][0] != '\0') {
        snprintf(request->key_version, sizeof request->key_version, "%s", second);
        return count == 3 && strcmp(method, "POST") == 0 ? operation_of_crypto(parts[2])
                                                         : OP_UNKNOWN;
    }
    if (strcmp(method, "POST") == 0) {
        return count == 1 && strcasecmp(parts[0], "restore") == 0 ? OP_RESTORE
               : strcasecmp(second, "create") == 0                ? OP_CREATE
               : strcasecmp(second, "backup") == 0                ? OP_BACKUP
               : strcasecmp(second, "rotate") == 0                ? OP_ROTATE
                                                                  : operation_of_crypto(second);
    }
    if (strcasecmp(second, "rotationpolicy") == 0) {
        return by_method(method, OP_GET_POLICY, OP_UNKNOWN, OP_SET_POLICY, OP_UNKNOWN);
    }
    if (strcasecmp(second, "versions") == 0) {
        return by_method(method, OP_LIST_VERSIONS, OP_UNKNOWN, OP_UNKNOWN, OP_UNKNOWN);
    }
    snprintf(request->key_version, sizeof request->key_version, "%s", second);
    return second[0] != '\0' ? by_method(method, OP_GET_KEY, OP_UNKNOWN, OP_UNKNOWN, OP_UPDATE)
                             : by_method(method, OP_GET_KEY, OP_DELETE, OP_IMPORT, OP_UPDATE);
}

static enum operation deleted_operation(struct request *request, char **parts, size_t count)
{
    snprintf(request->key_name, sizeof request->key_name, "%s", parts[0]);
    if (count > 1 && strcasecmp(parts[1], "recover") == 0) {
        return strcmp(request->method, "POST") == 0 ? OP_RECOVER : OP_UNKNOWN;
    }
    return by_method(request->method, OP_GET_DELETED, OP_PURGE, OP_UNKNOWN, OP_UNKNOWN);
}

static void take_route(struct request *request)
{
    char *copy = must(strdup(request->path)), *rest = copy, *parts[SEGMENTS_MAX] = {NULL};
    size_t count = 0;
    for (char *part; count < SEGMENTS_MAX && (part = strsep(&rest, "/")) != NULL;) {
        parts[count++] = part;
    }
    const char *root = count > 1 ? parts[1] : "";
    bool is_list = count == 2 || (count == 3 && parts[2][0] == '\0');
    bool is_get = strcmp(request->method, "GET") == 0;
    request->operation = OP_UNKNOWN;
    if (rest != NULL) {
        request->operation = OP_UNKNOWN;
    } else if (strcasecmp(root, "keys") == 0) {
        request->operation = !is_list ? key_operation(request, parts + 2, count - 2)
                             : is_get ? OP_LIST_KEYS
                                      : OP_UNKNOWN;
    } else if (strcasecmp(root, "deletedkeys") == 0) {
        request->operation = !is_list ? deleted_operation(request, parts + 2, count - 2)
                             : is_get ? OP_LIST_DELETED
                                      : OP_UNKNOWN;
    } else if (strcasecmp(root, "healthstatus") == 0 && is_list && is_get) {
        request->operation = OP_HEALTH;
    }
    free(copy);
}

void request_begin(struct request *request, struct MHD_Connection *connection, const char *method,
                   const char *path)
{
    request->connection = connection;
    request->has_begun = true;
    request->path = must(strdup(path));
    request->body = must(calloc(1, 1));
    guid_random(request->id);
    take_host(request);
    take_proxy(request);
    take_method(request, method);
    take_route(request);
}

void request_append(struct request *request, const char *data, size_t len)
{
    if (request->body_len + len > BODY_MAX) {
        request->is_too_long = true;
        return;
    }
    request->body = must(realloc(request->body, request->body_len + len + 1));
    memcpy(request->body + request->body_len, data, len);
    request->body_len += len;
    request->body[request->body_len] = '\0';
}

void request_free(struct request *request)
{
    free(request->uri);
    free(request->path);
    free(request->body);
    free(request);
}
