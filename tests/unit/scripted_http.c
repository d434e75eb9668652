#include "scripted_http.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fake_clock.h"
#include "platform/thread.h"

#define SCRIPT_MAX 64
#define SEEN_MAX   256

static struct plat_mutex mutex = PLAT_MUTEX_INIT;
static struct scripted_answer script[SCRIPT_MAX];
static unsigned script_len, script_at, count;
static struct seen_request seen[SEEN_MAX];
static scripted_server serve;
static void *serve_context;

void scripted_http_reset(void)
{
    plat_mutex_lock(&mutex);
    script_len = script_at = count = 0;
    memset(seen, 0, sizeof seen);
    serve = NULL;
    plat_mutex_unlock(&mutex);
}

void scripted_http_add(const struct scripted_answer *response)
{
    plat_mutex_lock(&mutex);
    if (script_len == SCRIPT_MAX) {
        abort();
    }
    script[script_len++] = *response;
    plat_mutex_unlock(&mutex);
}

void scripted_http_serve(scripted_server server, void *context)
{
    plat_mutex_lock(&mutex);
    serve = server;
    serve_context = context;
    plat_mutex_unlock(&mutex);
}

unsigned scripted_http_count(void)
{
    plat_mutex_lock(&mutex);
    unsigned now = count;
    plat_mutex_unlock(&mutex);
    return now;
}

unsigned scripted_http_left(void)
{
    plat_mutex_lock(&mutex);
    unsigned left = script_len - script_at;
    plat_mutex_unlock(&mutex);
    return left;
}

const struct seen_request *scripted_http_seen(unsigned index)
{
    return index < SEEN_MAX && index < scripted_http_count() ? &seen[index] : NULL;
}

static void scripted_http_note(const struct http_request *request, struct seen_request *out)
{
    memset(out, 0, sizeof *out);
    out->method = request->method;
    out->to_entra = request->to_entra;
    out->once = request->once;
    out->new_connection = request->new_connection;
    out->local = request->local;
    (void)text_copy(out->url, sizeof out->url, request->url);
    (void)text_copy(out->host, sizeof out->host, request->host);
    static const char prefix[] = "Authorization: Bearer ", basic[] = "Authorization: Basic ";
    const char *header = request->authorization != NULL ? request->authorization : prefix;
    if (strncmp(header, basic, sizeof basic - 1) == 0) {
        (void)text_copy(out->basic, sizeof out->basic, header + sizeof basic - 1);
        header = prefix;
    }
    if (strncmp(header, prefix, sizeof prefix - 1) != 0) {
        abort();
    }
    (void)text_copy(out->header, sizeof out->header,
                    request->header != NULL ? request->header : "");
    (void)text_copy(out->bearer, sizeof out->bearer, header + sizeof prefix - 1);
    (void)text_copy(out->content_type, sizeof out->content_type,
                    request->content_type != NULL ? request->content_type : "");
    (void)text_copy_n(out->body, sizeof out->body,
                      request->body != NULL ? (const char *)request->body : "", request->body_len);
}

static void copy_header(char *out, size_t cap, const char *value)
{
    (void)text_copy(out, cap, value != NULL ? value : "");
}

/* Time passes as it would in http_perform: at most the try's and the call's. */
static enum ekm_rc pass_time(struct call *call, const struct scripted_answer *given)
{
    uint64_t try_ms = call->config->try_timeout_ms, left_ms = call_remaining_ms(call);
    uint64_t most_ms = try_ms < left_ms ? try_ms : left_ms;
    if (given->takes_ms <= most_ms) {
        fake_clock_advance(given->takes_ms);
        return EKM_OK;
    }
    fake_clock_advance(most_ms);
    return left_ms <= try_ms ? EKM_DEADLINE : EKM_NO_ANSWER;
}

static enum ekm_rc scripted_http_give(struct call *call, const struct scripted_answer *given,
                                      struct http_response *response)
{
    enum ekm_rc rc = fake_clock_used() ? pass_time(call, given) : EKM_OK;
    response->maybe_sent = given->maybe_sent || rc != EKM_OK;
    rc = rc == EKM_OK ? given->rc : rc;
    if (rc != EKM_OK) {
        return call_fail(call, rc, "scripted");
    }
    response->maybe_sent = true;
    response->status = given->status;
    copy_header(response->authenticate, sizeof response->authenticate, given->authenticate);
    copy_header(response->retry_after, sizeof response->retry_after, given->retry_after);
    copy_header(response->request_id, sizeof response->request_id, given->request_id);
    copy_header(response->content_type, sizeof response->content_type, given->content_type);
    copy_header(call->request_id, sizeof call->request_id, given->request_id);
    rc = buf_append_text(&response->body, given->body != NULL ? given->body : "");
    return rc == EKM_OK ? rc : call_fail(call, rc, "scripted");
}

enum ekm_rc __wrap_http_perform(struct call *call, const struct http_request *request,
                                struct http_response *response)
{
    struct seen_request asked;
    struct scripted_answer given = {.rc = EKM_INTERNAL};
    scripted_server server = NULL;
    void *context = NULL;
    scripted_http_note(request, &asked);
    http_response_free(response);
    plat_mutex_lock(&mutex);
    if (count < SEEN_MAX) {
        seen[count] = asked;
    }
    count++;
    if (script_at < script_len) {
        given = script[script_at++];
    } else {
        server = serve;
        context = serve_context;
    }
    plat_mutex_unlock(&mutex);
    if (server != NULL) {
        given = (struct scripted_answer){.status = 500};
        server(context, call, &asked, &given);
    }
    return scripted_http_give(call, &given, response);
}

enum ekm_rc __wrap_http_perform_all(struct call *call, struct http_item *items, size_t item_count)
{
    const struct call_error before = call->error;
    for (size_t i = 0; i < item_count; i++) {
        call_clear_error(call);
        items[i].rc = __wrap_http_perform(call, items[i].request, items[i].response);
        items[i].error = call->error;
    }
    call->error = before;
    return EKM_OK;
}
