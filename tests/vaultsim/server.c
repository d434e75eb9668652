#include "server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "auth.h"
#include "cloud.h"
#include "counters.h"
#include "encode.h"
#include "entra.h"
#include "faults.h"
#include "pause.h"
#include "request.h"
#include "service.h"
#include "settings.h"

#define CONNECTIONS_MAX   4096u
#define CONNECTION_MEMORY ((size_t)128 * 1024)
#define HANG_MAX_MS       120000

static struct MHD_Daemon *daemon_running;

int server_listen(int *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)*port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    struct sockaddr *generic = (struct sockaddr *)(void *)&address;
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, generic, sizeof address) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, generic, &len) != 0) {
        close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static int socket_of(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info != NULL ? info->connect_fd : -1;
}

/* Ends the TCP connection at once, without an answer and without TLS's good-bye. */
static enum MHD_Result cut(const struct request *request)
{
    shutdown(socket_of(request), SHUT_RDWR);
    return MHD_NO;
}

/* A body that comes out slowly, or not to its end. */
struct drip {
    char *body;
    size_t len, end; /* end < len: the connection breaks or hangs there */
    int delay_ms;    /* per byte; 0: none */
    int hang_fd;     /* the client's socket; -1: it does not hang */
};

static ssize_t drip_read(void *cls, uint64_t at, char *out, size_t max)
{
    const struct drip *drip = cls;
    if (at >= drip->end) {
        if (drip->hang_fd >= 0) {
            pause_for(HANG_MAX_MS, drip->hang_fd);
        }
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t len = drip->end - (size_t)at;
    len = len < max ? len : max;
    if (drip->delay_ms > 0) {
        len = 1;
        if (pause_for(drip->delay_ms, -1) == PAUSE_STOPPED) {
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
    }
    memcpy(out, drip->body + at, len);
    return (ssize_t)len;
}

static void drip_free(void *cls)
{
    struct drip *drip = cls;
    free(drip->body);
    free(drip);
}

static struct MHD_Response *dripping(const struct request *request, const struct fault_plan *plan,
                                     struct answer *answer)
{
    bool hangs = plan->action == FAULT_HANG_BODY;
    struct drip *drip = must(calloc(1, sizeof *drip));
    drip->body = answer->body;
    drip->len = answer->body_len;
    drip->end = plan->action == FAULT_CUT_BODY || hangs ? drip->len / 2 : drip->len;
    drip->hang_fd = hangs ? socket_of(request) : -1;
    drip->delay_ms = plan->action == FAULT_SLOW ? fault_number(plan, "delay_ms", 10) : 0;
    answer->body = NULL;
    return MHD_create_response_from_callback(drip->len, 1024, drip_read, drip, drip_free);
}

static enum MHD_Result send_answer(const struct request *request, const struct fault_plan *plan,
                                   struct answer *answer)
{
    struct MHD_Response *response = NULL;
    bool is_dripping = plan->action == FAULT_CUT_BODY || plan->action == FAULT_SLOW ||
                       plan->action == FAULT_HANG_BODY;
    if (is_dripping && answer->body_len > 0) {
        response = dripping(request, plan, answer);
    } else {
        response =
            MHD_create_response_from_buffer(answer->body_len, answer->body, MHD_RESPMEM_MUST_FREE);
        answer->body = NULL;
    }
    must(response);
    if (answer->content_type != NULL) {
        MHD_add_response_header(response, "Content-Type", answer->content_type);
    }
    for (size_t i = 0; i < answer->field_count; i++) {
        MHD_add_response_header(response, answer->fields[i].name, answer->fields[i].value);
    }
    enum MHD_Result result = MHD_queue_response(request->connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static void make_answer(const struct request *request, const struct fault_plan *plan,
                        struct answer *answer)
{
    if (fault_replace(plan, answer)) {
        answer_field(answer, "x-ms-request-id", "%s", request->id);
    } else if (plan->action == FAULT_EXPIRED_TOKEN && !cloud_is_entra(request->host)) {
        answer_field(answer, "x-ms-request-id", "%s", request->id);
        auth_refuse_expired(request, answer);
    } else {
        if (cloud_is_entra(request->host)) {
            entra_serve(request, answer);
        } else {
            service_serve(request, answer);
        }
        fault_alter(plan, answer);
    }
}

/* Latency, delay and hang; false: the connection is to be cut. */
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
        return pause_for(HANG_MAX_MS, socket_of(request)) == PAUSE_RELEASED;
    }
    return plan->action != FAULT_CUT;
}

static enum MHD_Result serve(const struct request *request)
{
    enum MHD_Result result = MHD_NO;
    struct answer answer = {.status = 0};
    struct fault_plan plan = faults_take(request->method, request->uri, request->host);
    if (auth_leaks(request)) {
        counters_add(COUNT_LEAKED_SECRETS);
    }
    if (wait_before(request, &plan)) {
        make_answer(request, &plan, &answer);
        result = send_answer(request, &plan, &answer);
    } else {
        result = cut(request);
    }
    answer_free(&answer);
    fault_plan_free(&plan);
    return result;
}

/* Headers are in: the request counts from here. The first one of a connection counts its
 * handshake. */
static void count(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    bool *is_shaken = info != NULL ? info->socket_context : NULL;
    if (is_shaken != NULL && !*is_shaken) {
        *is_shaken = true;
        counters_add(COUNT_HANDSHAKES);
    }
    bool is_entra = cloud_is_entra(request->host);
    counters_request(is_entra                ? "token"
                     : auth_is_bare(request) ? "challenge"
                                             : operation_counter(request->operation),
                     request->host);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **context)
{
    struct request *request = *context;
    (void)cls;
    (void)version;
    if (!request->has_begun) {
        request_begin(request, connection, method, url);
        count(request);
        return MHD_YES;
    }
    if (*data_len > 0) {
        request_append(request, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    return serve(request);
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

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    (void)code;
    if (*context != NULL) {
        request_free(*context);
        *context = NULL;
    }
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    (void)cls;
    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        counters_add(COUNT_CONNECTIONS);
        *context = must(calloc(1, sizeof(bool)));
    } else {
        free(*context);
        *context = NULL;
    }
}

/* Closed before a byte was read: nobody is there. */
static enum MHD_Result on_accept(void *cls, const struct sockaddr *address, socklen_t len)
{
    (void)cls;
    (void)address;
    (void)len;
    return faults_is_gone() ? MHD_NO : MHD_YES;
}

bool server_start(int listener, const struct pki *pki)
{
    daemon_running = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
            MHD_USE_TLS,
        0, on_accept, NULL, on_request, NULL, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_HTTPS_MEM_KEY, pki->key, MHD_OPTION_HTTPS_MEM_CERT, pki->certificate,
        MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_CONNECTION_LIMIT,
        CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_END);
    return daemon_running != NULL;
}

void server_stop(void)
{
    pause_stop();
    if (daemon_running != NULL) {
        MHD_stop_daemon(daemon_running);
        daemon_running = NULL;
    }
}
