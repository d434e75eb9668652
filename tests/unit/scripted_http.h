/*
 * Stands in for http_perform (programs that wrap it): answers from a script or by a server
 * function, and keeps what was asked.
 *
 * Any thread; a server function runs outside the lock, so that it may block as a network would.
 */
#ifndef AKVEKM_TESTS_SCRIPTED_HTTP_H
#define AKVEKM_TESTS_SCRIPTED_HTTP_H

#include "net/http.h"

struct scripted_answer {
    enum ekm_rc rc; /* EKM_OK: an answer; else the transport's failure */
    long status;
    const char *body, *authenticate, *retry_after, *request_id, *content_type; /* NULL: none */
    bool maybe_sent;
    uint64_t takes_ms; /* on the fake clock; longer than the try may last: it fails as http does */
};

struct seen_request {
    enum http_method method;
    bool to_entra, once, local, new_connection;
    char url[2048], host[256], bearer[512], content_type[64], body[4096];
    char header[512], basic[512]; /* one more line; what follows "Authorization: Basic " */
};

typedef void (*scripted_server)(void *context, struct call *call, const struct seen_request *asked,
                                struct scripted_answer *response);

void scripted_http_reset(void);
/* The next answer of the script; strings must outlive it. */
void scripted_http_add(const struct scripted_answer *response);
/* Answers all that the script does not. Without one, a request beyond the script is EKM_INTERNAL.
 */
void scripted_http_serve(scripted_server server, void *context);

unsigned scripted_http_count(void); /* requests since the reset */
unsigned scripted_http_left(void);  /* answers not yet given */
/* The first requests since the reset are kept; NULL beyond. */
const struct seen_request *scripted_http_seen(unsigned index);

enum ekm_rc __wrap_http_perform(struct call *call, const struct http_request *request,
                                struct http_response *response);
/* One after the other, each as __wrap_http_perform. */
enum ekm_rc __wrap_http_perform_all(struct call *call, struct http_item *items, size_t count);

#endif
