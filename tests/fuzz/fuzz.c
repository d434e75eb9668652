#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http.h"

_Noreturn void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

uint32_t fuzz_number(struct fuzz_input *input)
{
    uint32_t number = 0;
    for (int i = 0; i < 4; i++) {
        number = number << 8 | fuzz_byte(input);
    }
    return number;
}

uint8_t *fuzz_bytes(struct fuzz_input *input, size_t len, size_t *got)
{
    *got = len < input->left ? len : input->left;
    uint8_t *bytes = malloc(*got > 0 ? *got : 1);
    FUZZ_CHECK(bytes != NULL);
    if (*got > 0) {
        memcpy(bytes, input->at, *got);
    }
    input->at += *got;
    input->left -= *got;
    return bytes;
}

static char *text_of(struct fuzz_input *input, size_t len)
{
    char *text = malloc(len + 1);
    FUZZ_CHECK(text != NULL);
    if (len > 0) {
        memcpy(text, input->at, len);
    }
    text[len] = '\0';
    input->at += len;
    input->left -= len;
    return text;
}

char *fuzz_line(struct fuzz_input *input)
{
    const uint8_t *end = input->left > 0 ? memchr(input->at, '\n', input->left) : NULL;
    char *line = text_of(input, end != NULL ? (size_t)(end - input->at) : input->left);
    if (end != NULL) {
        (void)fuzz_byte(input);
    }
    return line;
}

char *fuzz_rest(struct fuzz_input *input)
{
    return text_of(input, input->left);
}

struct call *fuzz_call(void)
{
    static struct config config;
    static struct call call;
    if (call.config == NULL) {
        config_defaults(&config);
        call_begin(&call, "fuzz", &config);
    }
    call_new_try(&call);
    return &call;
}

void fuzz_check_failure(const struct call *call, enum ekm_rc rc)
{
    FUZZ_CHECK(call->error.rc == rc && rc != EKM_INTERNAL);
    FUZZ_CHECK(memchr(call->error.note, 0, sizeof call->error.note) != NULL);
}

void fuzz_check_one_of(const struct call *call, enum ekm_rc rc, const enum ekm_rc *known,
                       size_t count)
{
    bool right = rc == EKM_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        right = right || rc == known[i];
    }
    FUZZ_CHECK(right && rc != EKM_OK);
    fuzz_check_failure(call, rc);
}

void fuzz_body(struct buf *body, const void *data, size_t size)
{
    const struct buf empty = BUF_EMPTY(HTTP_BODY_MAX);
    *body = empty;
    FUZZ_CHECK(buf_append(body, data, size) == EKM_OK);
}
