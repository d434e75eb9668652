#include "send.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "encode.h"
#include "pause.h"
#include "settings.h"

int send_socket(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info != NULL ? info->connect_fd : -1;
}

/* Ends the TCP connection at once, without a response and without a TLS close. */
enum MHD_Result send_cut(const struct request *request)
{
    shutdown(send_socket(request), SHUT_RDWR);
    return MHD_NO;
}

/* A body that is sent slowly, or not to its end. */
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

/* The part of the body that is sent before the break or hang: half, or `part` per cent. */
static size_t send_part(const struct fault_plan *plan, size_t len)
{
    int part = fault_number(plan, "part", 50);
    return part >= 0 && part < 100 ? len * (size_t)part / 100 : len / 2;
}

static struct MHD_Response *send_dripping(const struct request *request,
                                          const struct fault_plan *plan, struct answer *answer)
{
    bool hangs = plan->action == FAULT_HANG_BODY;
    struct drip *drip = must(calloc(1, sizeof *drip));
    drip->body = answer->body;
    drip->len = answer->body_len;
    drip->end = plan->action == FAULT_CUT_BODY || hangs ? send_part(plan, drip->len) : drip->len;
    drip->hang_fd = hangs ? send_socket(request) : -1;
    drip->delay_ms = plan->action == FAULT_SLOW ? fault_number(plan, "delay_ms", 10) : 0;
    answer->body = NULL;
    return MHD_create_response_from_callback(drip->len, 1024, drip_read, drip, drip_free);
}

static void add_field(struct MHD_Response *response, const struct answer *answer, const char *name,
                      const char *value)
{
    char *copy = must(strdup(name));
    for (char *c = copy; answer->is_hsm && *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    MHD_add_response_header(response, copy, value);
    free(copy);
}

/* Writes Date by the service's clock, if that differs from this machine's: libmicrohttpd writes
 * only the latter. */
static void add_date(struct MHD_Response *response)
{
    char text[40];
    time_t now = (time_t)clock_service();
    struct tm utc;
    if (settings_get().clock_offset_s != 0) {
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
        MHD_add_response_header(response, "Date", text);
    }
}

enum MHD_Result send_answer(const struct request *request, const struct fault_plan *plan,
                            struct answer *answer)
{
    struct MHD_Response *response = NULL;
    bool is_dripping = plan->action == FAULT_CUT_BODY || plan->action == FAULT_SLOW ||
                       plan->action == FAULT_HANG_BODY;
    if (is_dripping && answer->body_len > 0) {
        response = send_dripping(request, plan, answer);
    } else {
        response =
            MHD_create_response_from_buffer(answer->body_len, answer->body, MHD_RESPMEM_MUST_FREE);
        answer->body = NULL;
    }
    must(response);
    if (answer->content_type != NULL) {
        add_field(response, answer, "Content-Type", answer->content_type);
    }
    for (size_t i = 0; i < answer->field_count; i++) {
        add_field(response, answer, answer->fields[i].name, answer->fields[i].value);
    }
    add_date(response);
    enum MHD_Result result = MHD_queue_response(request->connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}
