#include "server.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "app_service.h"
#include "arc.h"
#include "auth.h"
#include "cloud.h"
#include "copies.h"
#include "counters.h"
#include "encode.h"
#include "entra.h"
#include "fault_apply.h"
#include "faults.h"
#include "imds.h"
#include "leaks.h"
#include "oidc.h"
#include "pause.h"
#include "request.h"
#include "send.h"
#include "service.h"
#include "settings.h"
#include "tls.h"

#define CONNECTIONS_MAX   4096u
#define CONNECTION_MEMORY ((size_t)128 * 1024)

static struct MHD_Daemon *daemons[SITE_COUNT];
static enum site sites[SITE_COUNT] = {SITE_CLOUD, SITE_IMDS, SITE_ARC, SITE_APP_SERVICE};
static char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

static void serve_site(const struct request *request, struct answer *answer)
{
    switch (request->site) {
    case SITE_IMDS:
        imds_serve(request, answer);
        return;
    case SITE_ARC:
        arc_serve(request, answer);
        return;
    case SITE_APP_SERVICE:
        app_service_serve(request, answer);
        return;
    case SITE_CLOUD:
        break;
    }
    if (cloud_is_entra(request->host)) {
        entra_serve(request, answer);
    } else if (oidc_is_host(request->host)) {
        oidc_serve(request, answer);
    } else {
        service_serve(request, answer);
    }
}

static void make_answer(const struct request *request, const struct fault_plan *plan,
                        struct answer *answer)
{
    bool is_vault = request->site == SITE_CLOUD && !cloud_is_entra(request->host);
    if (fault_replace(plan, request, answer)) {
        answer_field(answer, "x-ms-request-id", "%s", request->id);
    } else if (plan->action == FAULT_EXPIRED_TOKEN && is_vault) {
        answer_field(answer, "x-ms-request-id", "%s", request->id);
        auth_refuse_expired(request, answer);
    } else if (plan->action == FAULT_UNRESOLVED_KEY && is_vault) {
        answer_field(answer, "x-ms-request-id", "%s", request->id);
        auth_refuse_unresolved(request, answer);
    } else {
        serve_site(request, answer);
        fault_alter(plan, answer);
    }
}

/* Applies latency, delay and hang. False: the connection is to be cut. */
static bool wait_before(const struct request *request, const struct fault_plan *plan)
{
    int latency_ms = settings_get().latency_ms;
    if (plan->action == FAULT_GONE) {
        return false;
    }
    if (latency_ms > 0 && pause_for(latency_ms, -1) == PAUSE_STOPPED) {
        return false;
    }
    if (plan->action == FAULT_DELAY) {
        return pause_for(fault_number(plan, "delay_ms", 1000), -1) == PAUSE_TIME;
    }
    if (plan->action == FAULT_HANG) {
        return pause_for(HANG_MAX_MS, send_socket(request)) == PAUSE_RELEASED;
    }
    return plan->action != FAULT_CUT;
}

static enum MHD_Result server_serve(const struct request *request)
{
    enum MHD_Result result = MHD_NO;
    struct answer answer = {.status = 0};
    struct fault_plan plan = faults_take(request->method, request->uri, request->host);
    if (leaks_in(request)) {
        counters_add(COUNT_LEAKED_SECRETS);
    }
    if (wait_before(request, &plan)) {
        make_answer(request, &plan, &answer);
        if (answer.status == 429) {
            copies_note_refusal(request->host);
        }
        result = send_answer(request, &plan, &answer);
    } else {
        result = send_cut(request);
    }
    answer_free(&answer);
    fault_plan_free(&plan);
    return result;
}

/* The headers have arrived, so the request counts from here. The first request of a connection
 * counts its handshake. */
static void server_count(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    bool *is_shaken = info != NULL ? info->socket_context : NULL;
    if (is_shaken != NULL && !*is_shaken && request->site == SITE_CLOUD) {
        *is_shaken = true;
        counters_add(COUNT_HANDSHAKES);
        if (tls_is_resumed(request->connection)) {
            counters_add(COUNT_RESUMPTIONS);
        }
    }
    bool is_vault = !cloud_is_entra(request->host) && !oidc_is_host(request->host);
    const char *operation = request->site != SITE_CLOUD       ? request->host
                            : entra_is_token_request(request) ? "token"
                            : !is_vault                       ? "document"
                            : auth_is_bare(request)           ? "challenge"
                                                    : operation_counter(request->operation);
    counters_request(operation, request->host);
}

static enum MHD_Result server_on_request(void *cls, struct MHD_Connection *connection,
                                         const char *url, const char *method, const char *version,
                                         const char *data, size_t *data_len, void **context)
{
    const enum site *site = cls;
    struct request *request = *context;
    (void)version;
    if (!request->has_begun) {
        request->site = *site;
        request_begin(request, connection, method, url);
        server_count(request);
        copies_begin(request);
        return MHD_YES;
    }
    if (*data_len > 0) {
        request_append(request, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    return server_serve(request);
}

/* The only place where libmicrohttpd shows the target as it was sent. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct request *request = must(calloc(1, sizeof *request));
    (void)cls;
    (void)connection;
    request->uri = must(strdup(uri));
    return request;
}

static void server_on_completed(void *cls, struct MHD_Connection *connection, void **context,
                                enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    (void)code;
    if (*context != NULL) {
        copies_end(*context);
        request_free(*context);
        *context = NULL;
    }
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    (void)cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        tls_begin(connection);
        counters_add(COUNT_CONNECTIONS);
        *context = must(calloc(1, sizeof(bool)));
    } else {
        free(*context);
        *context = NULL;
    }
}

/* Closed before a byte was read: the client has gone. */
static enum MHD_Result on_accept(void *cls, const struct sockaddr *address, socklen_t len)
{
    (void)cls;
    (void)address;
    (void)len;
    return faults_is_gone() ? MHD_NO : MHD_YES;
}

/* pki NULL: plain HTTP. */
static struct MHD_Daemon *start_daemon(int listener, enum site site, const struct pki *pki)
{
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, pki != NULL ? pki->key : NULL},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, pki != NULL ? pki->certificate : NULL},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, tls_priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_THREAD_PER_CONNECTION | (pki != NULL ? MHD_USE_TLS : 0);
    return MHD_start_daemon(
        flags, 0, on_accept, NULL, server_on_request, &sites[site], MHD_OPTION_LISTEN_SOCKET,
        listener, MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        server_on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY, MHD_OPTION_ARRAY, pki != NULL ? tls : none, MHD_OPTION_END);
}

bool server_start(const int listeners[SITE_COUNT], const struct pki *pki)
{
    bool is_started = true;
    for (int i = 0; i < SITE_COUNT && is_started; i++) {
        daemons[i] = start_daemon(listeners[i], sites[i], i == SITE_CLOUD ? pki : NULL);
        is_started = daemons[i] != NULL;
    }
    return is_started;
}

void server_stop(void)
{
    pause_stop();
    for (int i = 0; i < SITE_COUNT; i++) {
        if (daemons[i] != NULL) {
            MHD_stop_daemon(daemons[i]);
            daemons[i] = NULL;
        }
    }
}
