/*
 * Arguments that no correct host passes, in memory that ends exactly at their size, and the table
 * of codes.
 *
 * Owns its memory until the program ends. One thread sets up; any thread may read.
 */
#ifndef AKVEKM_INTEGRATION_HOSTILE_H
#define AKVEKM_INTEGRATION_HOSTILE_H

#include "harness.h"

/* A copy whose last byte is followed by memory that cannot be accessed. */
void *hostile_guarded(const void *bytes, size_t len);

/* Whether docs/errors.md has a row for the code. */
bool hostile_is_documented(SqlCpError code);

/* A length and a pointer that need not fit each other; `bytes` (NULL: a NULL pointer) has `room`.
 */
struct hostile_data {
    const char *what;
    uint32_t cb;
    const void *bytes;
    size_t room;
};
/* As an output: the buffer filled with a pattern, so that a change shows. */
struct hostile_out {
    SqlCpData data, before;
    uint8_t *buffer;
    size_t room;
};
void hostile_out_make(struct hostile_out *out, const struct hostile_data *data);
/* Whether nothing was written but, where `size_told`, the size. */
bool hostile_out_is_untouched(const struct hostile_out *out, bool size_told);
void hostile_out_free(struct hostile_out *out);

#endif
