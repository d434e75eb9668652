#include "service.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth.h"
#include "clients.h"
#include "cloud.h"
#include "counters.h"
#include "keyadmin.h"
#include "keylife.h"
#include "keyops.h"
#include "settings.h"
#include "throttle.h"

static const char *const api_versions[] = {
    "2016-10-01",
    "7.0",
    "7.1",
    "7.2",
    "7.3",
    "7.4",
    "7.5",
    "7.6-preview.2",
    "7.6",
    "2025-06-01-preview",
    "2025-07-01",
    "2026-01-01-preview",
    "2026-03-01-preview",
    "2026-04-01",
    "2026-05-01-preview",
    "2026-07-01-preview",
};
#define NEWEST_VERSION "2026-04-01"

static bool check_api_version(struct service_call *call, struct answer *answer)
{
    call->api_version = request_query(call->request, "api-version");
    bool is_absent = call->api_version == NULL || call->api_version[0] == '\0';
    if (is_absent && cloud_is_hsm(call->request->host) &&
        strcmp(call->request->method, "GET") == 0) {
        call->api_version = NEWEST_VERSION; /* as in the nextLink of a Managed HSM */
        return true;
    }
    if (is_absent) {
        answer_error(answer, 400, "BadParameter", NULL, "api-version must be specified");
        return false;
    }
    for (size_t i = 0; i < sizeof api_versions / sizeof api_versions[0]; i++) {
        if (strcasecmp(call->api_version, api_versions[i]) == 0) {
            return true;
        }
    }
    answer_error(
        answer, 400, "BadParameter", NULL,
        "The specified version (%s) is not recognized. Consider using the latest supported "
        "version (" NEWEST_VERSION ").",
        call->api_version);
    return false;
}

static bool is_name(const char *text, size_t max)
{
    size_t len = strlen(text);
    for (const char *c = text; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && *c != '-') {
            return false;
        }
    }
    return len <= max;
}

/* Checks firewall and private link once the caller is known; "connection" refuses everybody. */
static bool check_network(enum vault_deny deny, const char *host, struct answer *answer)
{
    if (deny == DENY_CONNECTION) {
        answer_error(answer, 403, "Forbidden", "ForbiddenByConnection",
                     "Public network access is disabled and request is not from a trusted service "
                     "nor via an approved private link.\r\nVault: %s;location=westeurope",
                     host);
    } else if (deny == DENY_FIREWALL) {
        answer_error(answer, 403, "Forbidden", "ForbiddenByFirewall",
                     "Client address is not authorized and caller is not a trusted service.\r\n"
                     "Client address: 127.0.0.1\r\nVault: %s;location=westeurope",
                     host);
    } else if (deny == DENY_NSP) {
        answer_error(answer, 403, "Forbidden", "ForbiddenByNsp",
                     "Public network access is restricted by the network security perimeter.\r\n"
                     "Client address: 127.0.0.1\r\nVault: %s;location=westeurope",
                     host);
    }
    return deny == DENY_NONE;
}

static bool check_permission(const struct request *request, const char *client_id,
                             struct answer *answer)
{
    bool is_rbac = false;
    char tenant[80];
    const char *permission = operation_permission(request->operation);
    const char *action = operation_action(request->operation);
    if (clients_may(client_id, request->host, permission, &is_rbac)) {
        return true;
    }
    clients_tenant(tenant, sizeof tenant);
    if (cloud_is_hsm(request->host)) {
        answer_error(answer, 403, "AccessDenied", NULL,
                     "Not authorized to access Microsoft.KeyVault/managedHsm/keys/%s on /keys/%s",
                     action, request->key_name);
    } else if (is_rbac) {
        answer_error(answer, 403, "Forbidden", "ForbiddenByRbac",
                     "Caller is not authorized to perform action on resource.\r\nIf role "
                     "assignments, deny assignments or role definitions were changed recently, "
                     "please observe propagation time.\r\nCaller: appid=%s;oid=%s;"
                     "iss=https://sts.windows.net/%s/\r\nAction: 'Microsoft.KeyVault/vaults/keys/"
                     "%s'\r\nAssignment: (not found)\r\nVault: %s;location=westeurope\r\n",
                     client_id, client_id, tenant, action, request->host);
    } else {
        answer_error(answer, 403, "Forbidden", "ForbiddenByPolicy",
                     "The user, group or application 'appid=%s;oid=%s;"
                     "iss=https://sts.windows.net/%s/' does not have keys %s permission on key "
                     "vault '%s;location=westeurope'. For help resolving this issue, please see "
                     "https://go.microsoft.com/fwlink/?linkid=2125287",
                     client_id, client_id, tenant, permission, request->host);
    }
    return false;
}

static bool takes_body(enum operation operation)
{
    return operation_is_crypto(operation) || operation == OP_CREATE || operation == OP_IMPORT ||
           operation == OP_UPDATE || operation == OP_RESTORE || operation == OP_SET_POLICY;
}

/* Parses the body that an operation needs; the caller deletes *json. */
static bool check_body(const struct request *request, struct answer *answer, cJSON **json)
{
    const char *type = request_header(request, "Content-Type");
    if (!takes_body(request->operation)) {
        if (request->body_len > 0 && strcasecmp(request->method, "GET") == 0) {
            answer_error(answer, 400, "BadParameter", NULL, "A GET request must not have a body.");
            return false;
        }
        return true;
    }
    if (type == NULL || strncasecmp(type, "application/json", 16) != 0) {
        answer_error(answer, 415, "UnsupportedMediaType", NULL,
                     "The content type of the request must be application/json.");
        return false;
    }
    *json = request->is_too_long ? NULL : cJSON_Parse(request->body);
    if (!cJSON_IsObject(*json)) {
        answer_error(answer, 400, "BadParameter", NULL, "The request body is not valid JSON.");
        return false;
    }
    return true;
}

static bool check_names(const struct request *request, struct answer *answer)
{
    const char *wrong = !is_name(request->key_name, 127)     ? request->key_name
                        : !is_name(request->key_version, 64) ? request->key_version
                                                             : NULL;
    if (wrong != NULL) {
        answer_error(answer, 400, "BadParameter", NULL,
                     "The request URI contains an invalid name: %s", wrong);
    }
    return wrong == NULL;
}

void service_refuse(const struct service_call *call, enum store_rc rc, struct answer *answer)
{
    const char *name = call->request->key_name, *version = call->request->key_version;
    switch (rc) {
    case STORE_EXISTS:
        answer_error(answer, 409, "Conflict", NULL, "The version %s exists already.", version);
        return;
    case STORE_FULL:
        answer_error(answer, 400, "BadParameter", NULL,
                     "The key %s has the maximum number of versions.", name);
        return;
    case STORE_DELETED:
        if (call->request->operation == OP_CREATE || call->request->operation == OP_IMPORT ||
            call->request->operation == OP_RESTORE) {
            answer_error(answer, 409, "Conflict", "ObjectIsDeletedButRecoverable",
                         "Key %s is currently in a deleted but recoverable state, and its name "
                         "cannot be reused; in this state, the key can only be recovered or "
                         "purged.",
                         name);
            return;
        }
        break;
    case STORE_OK:
    case STORE_NO_VAULT:
    case STORE_NO_KEY:
        break;
    }
    enum operation operation = call->request->operation;
    if (operation == OP_GET_DELETED || operation == OP_PURGE || operation == OP_RECOVER) {
        answer_error(answer, 404, "KeyNotFound", NULL, "Deleted Key not found: %s", name);
        return;
    }
    if (cloud_is_hsm(call->request->host)) {
        answer_error(answer, 404, "KeyNotFound", NULL, "Key not found: %s%s%s", name,
                     version[0] != '\0' ? "/" : "", version);
        return;
    }
    answer_error(answer, 404, "KeyNotFound", NULL,
                 "A key with (name/id) %s%s%s was not found in this key vault. If you recently "
                 "deleted this key you may be able to recover it using the correct recovery "
                 "command. For help resolving this issue, please see "
                 "https://go.microsoft.com/fwlink/?linkid=2125182",
                 name, version[0] != '\0' ? "/" : "", version);
}

bool service_find(const struct service_call *call, struct key_view *view, struct answer *answer)
{
    const struct request *request = call->request;
    enum store_rc rc = store_find(request->host, request->key_name, request->key_version, view);
    if (rc != STORE_OK) {
        service_refuse(call, rc, answer);
    }
    return rc == STORE_OK;
}

bool service_admits(const struct service_call *call, const struct key_view *view,
                    struct answer *answer)
{
    struct settings settings = settings_get();
    int wait_s = throttle_admit(&settings, call->request->host, call->request->operation, view);
    if (wait_s == 0) {
        return true;
    }
    counters_add(COUNT_THROTTLED);
    if (settings.throttle_retry_after) {
        answer_field(answer, "Retry-After", "%d", wait_s);
    }
    answer_error(answer, 429, "Throttled", NULL,
                 "Request was not processed because too many requests were received. Reason: "
                 "VaultRequestTypeLimitReached");
    return false;
}

static void add_hsm_fields(const struct request *request, struct answer *answer)
{
    answer_field(answer, "Content-Security-Policy", "default-src 'self'");
    answer_field(answer, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    answer_field(answer, "X-Frame-Options", "SAMEORIGIN");
    answer_field(answer, "x-ms-server-latency", "1");
    answer_field(answer, "x-ms-build-version", "1.0.20260101-1-vaultsim");
    answer->activity_id = request->id;
    answer->is_hsm = true;
}

static void add_vault_fields(struct answer *answer)
{
    answer_field(answer, "Pragma", "no-cache");
    answer_field(answer, "Expires", "-1");
    answer_field(answer, "Strict-Transport-Security", "max-age=31536000;includeSubDomains");
    answer_field(answer, "x-ms-keyvault-region", "westeurope");
    answer_field(answer, "x-ms-keyvault-service-version", "1.9.2500.1");
    const struct settings settings = settings_get();
    answer_field(answer, "x-ms-keyvault-network-info", "%s",
                 settings.network_info[0] != '\0'
                     ? settings.network_info
                     : "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;");
}

static void add_fields(const struct request *request, struct answer *answer)
{
    const char *correlation = request_header(request, "x-ms-client-request-id");
    answer_field(answer, "Cache-Control", "no-cache");
    answer_field(answer, "x-ms-request-id", "%s", request->id);
    answer_field(answer, "X-Content-Type-Options", "nosniff");
    if (correlation != NULL) {
        answer_field(answer, "x-ms-client-request-id", "%s", correlation);
    }
    if (cloud_is_hsm(request->host)) {
        add_hsm_fields(request, answer);
    } else {
        add_vault_fields(answer);
    }
}

/* The operations that a vault refuses after a regional failover. */
static bool check_writable(const struct request *request, struct answer *answer)
{
    if (!operation_writes(request->operation) || !store_vault_is_read_only(request->host)) {
        return true;
    }
    answer_error(
        answer, 403, "Forbidden", NULL,
        "Operation %s is not allowed while the vault is in read-only mode after a regional "
        "failover.",
        operation_permission(request->operation));
    return false;
}

static void serve_known(const struct request *request, enum vault_deny deny, struct answer *answer)
{
    char client_id[37];
    cJSON *body = NULL;
    struct service_call call = {.request = request};
    if ((deny == DENY_CONNECTION && !check_network(deny, request->host, answer)) ||
        !auth_check(request, answer, client_id)) {
        return;
    }
    if (cloud_is_hsm(request->host)) { /* not in its 401 */
        answer_field(answer, "x-ms-keyvault-region", "westeurope");
        answer_field(answer, "x-ms-keyvault-network-info",
                     "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=Ipv4;");
    }
    if (!check_api_version(&call, answer) || !check_network(deny, request->host, answer)) {
        return;
    }
    if (request->operation == OP_UNKNOWN) {
        answer_error(answer, 405, "MethodNotAllowed", NULL,
                     "The requested resource does not support this method or path.");
        return;
    }
    if (check_permission(request, client_id, answer) && check_writable(request, answer) &&
        check_names(request, answer) && check_body(request, answer, &body)) {
        call.body = body;
        if (operation_is_crypto(request->operation)) {
            keyops_serve(&call, answer);
        } else if (keylife_has(request->operation)) {
            keylife_serve(&call, answer);
        } else {
            keyadmin_serve(&call, answer);
        }
    }
    cJSON_Delete(body);
}

void service_serve(const struct request *request, struct answer *answer)
{
    enum vault_deny deny = DENY_NONE;
    if (!store_vault_find(request->host, &deny)) {
        answer_text(answer, 400, "text/html; charset=us-ascii",
                    "<HTML><HEAD><TITLE>Bad Request</TITLE></HEAD><BODY><h2>Bad Request - Invalid "
                    "Hostname</h2></BODY></HTML>");
        return;
    }
    add_fields(request, answer);
    if (request->operation == OP_HEALTH) {
        answer_text(answer, 200, NULL, "");
        return;
    }
    serve_known(request, deny, answer);
    answer->activity_id = NULL;
}
