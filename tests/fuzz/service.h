/*
 * Azure for the fuzzer of the entry points: a vault and a login service behind the scripted
 * transport, which answer correctly or as the input says.
 *
 * Checks the destination of every request, and the secrets in it. One thread.
 */
#ifndef AKVEKM_TESTS_SERVICE_H
#define AKVEKM_TESTS_SERVICE_H

#include "fuzz.h"
#include "scripted_http.h"

#define SERVICE_KEYS 5

struct service {
    struct fuzz_input *input;
    char marker[17]; /* made from the whole input, which cannot hold it; in all that is secret */
    char secret[32], plain[40];
    unsigned tokens;
    bool strange; /* some answer was not what Azure would say */
    unsigned wraps, unwraps;
};

void service_begin(struct service *service, struct fuzz_input *input);
/* A scripted_server; the context is the service. */
void service_answer(void *context, struct call *call, const struct seen_request *asked,
                    struct scripted_answer *answer);

const char *service_key_name(size_t index);
void service_thumbprint(size_t index, struct thumbprint *out); /* length 0: no usable size */

#endif
