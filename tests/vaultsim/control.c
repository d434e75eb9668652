#include "control.h"

#include <ctype.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "answer.h"
#include "clients.h"
#include "control_identity.h"
#include "control_keys.h"
#include "control_vaults.h"
#include "copies.h"
#include "counters.h"
#include "encode.h"
#include "environment.h"
#include "faults.h"
#include "request.h"
#include "settings.h"
#include "state.h"
#include "tokens.h"

static struct MHD_Daemon *daemon_running;

struct control_call {
    const struct request *request;
    const char *rest;  /* the rest of the path, e.g. a host */
    const cJSON *json; /* an object, perhaps empty */
};

static void control_done(struct answer *answer)
{
    answer_json(answer, 200, cJSON_CreateObject());
}

static void control_refuse(struct answer *answer, unsigned status, const char *problem)
{
    answer_error(answer, status, "BadRequest", NULL, "%s", problem);
}

static void get_counters(const struct control_call *call, struct answer *answer)
{
    (void)call;
    answer_json(answer, 200, counters_to_json());
}

static void delete_counters(const struct control_call *call, struct answer *answer)
{
    (void)call;
    counters_reset();
    copies_reset();
    control_done(answer);
}

static void get_faults(const struct control_call *call, struct answer *answer)
{
    (void)call;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "faults", faults_to_json());
    answer_json(answer, 200, json);
}

static void post_faults(const struct control_call *call, struct answer *answer)
{
    const char *problem = faults_add(call->json);
    if (problem != NULL) {
        control_refuse(answer, 400, problem);
    } else {
        control_done(answer);
    }
}

static void delete_faults(const struct control_call *call, struct answer *answer)
{
    (void)call;
    faults_clear();
    control_done(answer);
}

static void get_settings(const struct control_call *call, struct answer *answer)
{
    (void)call;
    char tenant[80];
    cJSON *json = settings_to_json();
    clients_tenant(tenant, sizeof tenant);
    cJSON_AddStringToObject(json, "tenant", tenant);
    answer_json(answer, 200, json);
}

/* "tenant" moves the vaults to another tenant; it is kept, the other settings are not. */
static void post_settings(const struct control_call *call, struct answer *answer)
{
    const char *problem = NULL;
    char guid[37];
    cJSON *json = cJSON_Duplicate(call->json, true);
    cJSON *tenant = cJSON_DetachItemFromObjectCaseSensitive(json, "tenant");
    bool has_guid = cJSON_IsString(tenant) && guid_normalise(tenant->valuestring, guid);
    if ((tenant != NULL && !has_guid) || !settings_change(json, &problem)) {
        answer_error(answer, 400, "BadRequest", NULL, "unknown setting or bad value: %s",
                     problem != NULL ? problem : "tenant");
    } else {
        if (has_guid) {
            clients_set_tenant(guid);
            state_save();
            environment_write();
        }
        get_settings(call, answer);
    }
    cJSON_Delete(tenant);
    cJSON_Delete(json);
}

static void get_clients(const struct control_call *call, struct answer *answer)
{
    (void)call;
    answer_json(answer, 200, clients_to_json(false));
}

static void post_clients(const struct control_call *call, struct answer *answer)
{
    const char *problem = clients_change(call->json);
    if (problem != NULL) {
        control_refuse(answer, 400, problem);
        return;
    }
    state_save();
    control_done(answer);
}

static void delete_client(const struct control_call *call, struct answer *answer)
{
    if (!clients_remove(call->rest)) {
        control_refuse(answer, 404, "no such client");
        return;
    }
    state_save();
    control_done(answer);
}

static void get_identities(const struct control_call *call, struct answer *answer)
{
    (void)call;
    control_identity_list(answer);
}

static void post_identities(const struct control_call *call, struct answer *answer)
{
    control_identity_change(call->json, answer);
}

static void delete_identity(const struct control_call *call, struct answer *answer)
{
    control_identity_remove(call->rest, answer);
}

static void rotate_header(const struct control_call *call, struct answer *answer)
{
    (void)call;
    control_identity_rotate(answer);
}

static void mint_token(const struct control_call *call, struct answer *answer)
{
    control_identity_mint(call->json, answer);
}

static void expire_tokens(const struct control_call *call, struct answer *answer)
{
    (void)call;
    tokens_expire_all();
    control_done(answer);
}

/* Continuous access evaluation, as after a change of the account. */
static void revoke_tokens(const struct control_call *call, struct answer *answer)
{
    tokens_revoke_all(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(call->json, "all")));
    control_done(answer);
}

static void get_vaults(const struct control_call *call, struct answer *answer)
{
    (void)call;
    control_vaults_list(answer);
}

static void post_vaults(const struct control_call *call, struct answer *answer)
{
    control_vaults_add(call->json, answer);
}

static void delete_vault(const struct control_call *call, struct answer *answer)
{
    control_vaults_remove(call->rest, answer);
}

static void post_vault(const struct control_call *call, struct answer *answer)
{
    control_vaults_change(call->rest, call->json, answer);
}

static void get_keys(const struct control_call *call, struct answer *answer)
{
    control_keys_list(request_query(call->request, "vault"), answer);
}

static void get_pem(const struct control_call *call, struct answer *answer)
{
    control_keys_pem(request_query(call->request, "vault"), request_query(call->request, "name"),
                     request_query(call->request, "version"), answer);
}

static void post_keys(const struct control_call *call, struct answer *answer)
{
    control_keys_add(call->json, answer);
}

static void post_filler(const struct control_call *call, struct answer *answer)
{
    control_keys_fill(call->json, answer);
}

static void patch_keys(const struct control_call *call, struct answer *answer)
{
    control_keys_change(call->json, answer);
}

static void delete_keys(const struct control_call *call, struct answer *answer)
{
    control_keys_delete(call->json, answer);
}

static void post_stop(const struct control_call *call, struct answer *answer)
{
    (void)call;
    control_done(answer);
}

/* A route that ends in '/' matches every path that begins with it. */
static const struct {
    const char *method, *path;
    void (*serve)(const struct control_call *call, struct answer *answer);
} routes[] = {
    {"GET", "/counters", get_counters},
    {"DELETE", "/counters", delete_counters},
    {"GET", "/faults", get_faults},
    {"POST", "/faults", post_faults},
    {"DELETE", "/faults", delete_faults},
    {"GET", "/settings", get_settings},
    {"POST", "/settings", post_settings},
    {"GET", "/clients", get_clients},
    {"POST", "/clients", post_clients},
    {"DELETE", "/clients/", delete_client},
    {"GET", "/identities", get_identities},
    {"POST", "/identities", post_identities},
    {"DELETE", "/identities/", delete_identity},
    {"POST", "/identities/rotate", rotate_header},
    {"POST", "/oidc/token", mint_token},
    {"POST", "/tokens/expire", expire_tokens},
    {"POST", "/tokens/revoke", revoke_tokens},
    {"GET", "/vaults", get_vaults},
    {"POST", "/vaults", post_vaults},
    {"DELETE", "/vaults/", delete_vault},
    {"POST", "/vaults/", post_vault},
    {"GET", "/keys", get_keys},
    {"GET", "/keys/pem", get_pem},
    {"POST", "/keys", post_keys},
    {"POST", "/keys/filler", post_filler},
    {"PATCH", "/keys", patch_keys},
    {"DELETE", "/keys", delete_keys},
    {"POST", "/stop", post_stop},
};

static bool control_fits(const char *route, const char *path)
{
    size_t len = strlen(route);
    return route[len - 1] == '/' ? strncmp(path, route, len) == 0 && path[len] != '\0'
                                 : strcmp(path, route) == 0;
}

static void control_serve(const struct request *request, struct answer *answer)
{
    cJSON *json = request->body_len > 0 ? cJSON_Parse(request->body) : cJSON_CreateObject();
    if (!cJSON_IsObject(json)) {
        control_refuse(answer, 400, "the body is not a JSON object");
        cJSON_Delete(json);
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(request->method, routes[i].method) == 0 &&
            control_fits(routes[i].path, request->path)) {
            struct control_call call = {request, request->path + strlen(routes[i].path), json};
            routes[i].serve(&call, answer);
            cJSON_Delete(json);
            return;
        }
    }
    control_refuse(answer, 404, "no such path and method: see docs/vaultsim.md");
    cJSON_Delete(json);
}

static enum MHD_Result control_on_request(void *cls, struct MHD_Connection *connection,
                                          const char *url, const char *method, const char *version,
                                          const char *data, size_t *data_len, void **context)
{
    struct request *request = *context;
    struct answer answer = {.status = 0};
    (void)cls;
    (void)version;
    if (request == NULL) {
        *context = request = must(calloc(1, sizeof *request));
        request_begin(request, connection, method, url);
        return MHD_YES;
    }
    if (*data_len > 0) {
        request_append(request, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    control_serve(request, &answer);
    struct MHD_Response *response =
        must(MHD_create_response_from_buffer(answer.body_len, answer.body, MHD_RESPMEM_MUST_COPY));
    MHD_add_response_header(response, "Content-Type", answer.content_type);
    enum MHD_Result result = MHD_queue_response(connection, answer.status, response);
    MHD_destroy_response(response);
    answer_free(&answer);
    return result;
}

static void control_on_completed(void *cls, struct MHD_Connection *connection, void **context,
                                 enum MHD_RequestTerminationCode code)
{
    struct request *request = *context;
    (void)cls;
    (void)connection;
    (void)code;
    if (request == NULL) {
        return;
    }
    if (strcmp(request->method, "POST") == 0 && strcmp(request->path, "/stop") == 0) {
        kill(getpid(), SIGTERM);
    }
    request_free(request);
    *context = NULL;
}

bool control_start(int listener)
{
    daemon_running = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL,
        NULL, control_on_request, NULL, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_NOTIFY_COMPLETED, control_on_completed, NULL, MHD_OPTION_END);
    return daemon_running != NULL;
}

void control_stop(void)
{
    if (daemon_running != NULL) {
        MHD_stop_daemon(daemon_running);
        daemon_running = NULL;
    }
}
