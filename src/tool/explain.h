/*
 * The texts of docs/errors.md for each code; the build makes a table of them (cmake/explain.cmake).
 *
 * Immutable; one thread.
 */
#ifndef AKVEKM_TOOL_EXPLAIN_H
#define AKVEKM_TOOL_EXPLAIN_H

#include <stdint.h>

struct explain_row {
    int32_t code;
    const char *what, *todo; /* what happened, what to do */
};

/* NULL for a code that the library never returns. */
const struct explain_row *explain_find(int32_t code);

/* What to do about it; "" if nothing is known. */
const char *explain_todo(int32_t code);

#endif
