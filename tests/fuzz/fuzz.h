/*
 * Shared by the fuzzers: an input that is read piece by piece, and checks that end the program.
 *
 * A target checks rules that hold for any input, not only that nothing crashes. One thread.
 */
#ifndef AKVEKM_TESTS_FUZZ_H
#define AKVEKM_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/call.h"

/* libFuzzer's entry point: always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_HOST "contoso-vault.vault.azure.net"

#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};
uint8_t fuzz_byte(struct fuzz_input *input); /* 0 when nothing is left */
uint32_t fuzz_number(struct fuzz_input *input);
/* The next `len` bytes, or what is left, in memory of their own size: a read past the end is seen.
 * The caller frees. */
uint8_t *fuzz_bytes(struct fuzz_input *input, size_t len, size_t *got);
/* Likewise up to the next line break or the end, terminated; a zero byte ends the text early. */
char *fuzz_line(struct fuzz_input *input);
/* All that is left, terminated likewise. */
char *fuzz_rest(struct fuzz_input *input);

/* A call with the settings' defaults. */
struct call *fuzz_call(void);
/* `rc` is what the call keeps, and names its own failure: never an internal one. */
void fuzz_check_failure(const struct call *call, enum ekm_rc rc);
/* `rc` is a failure, and one of the `count` in `known`, or out of memory. */
void fuzz_check_one_of(const struct call *call, enum ekm_rc rc, const enum ekm_rc *known,
                       size_t count);
#define FUZZ_CHECK_ONE_OF(call, rc, ...)                                                           \
    fuzz_check_one_of(call, rc, (const enum ekm_rc[]){__VA_ARGS__},                                \
                      sizeof((const enum ekm_rc[]){__VA_ARGS__}) / sizeof(enum ekm_rc))

/* The body of an answer as the transport makes it. */
void fuzz_body(struct buf *body, const void *data, size_t size);

#endif
