#include "base/err.h"

#include <stddef.h>

#define NAME_SIZE 28

static const struct {
    char name[NAME_SIZE]; /* not a pointer, which the loader would have to relocate */
    int32_t code;
    bool again, of_key;
    const char *text;
} rows[] = {
#define EKM_ROW(name, code, again, of_key, text) {#name, code, again, of_key, text},
    EKM_ERRORS(EKM_ROW)
#undef EKM_ROW
};
#define EKM_FITS(name, code, again, of_key, text) _Static_assert(sizeof #name <= NAME_SIZE, #name);
EKM_ERRORS(EKM_FITS)
#undef EKM_FITS
_Static_assert(sizeof rows / sizeof rows[0] == EKM_RC_COUNT, "a row for each");

/* A number outside the table is a bug of the library. */
static size_t row_of(enum ekm_rc rc)
{
    return (size_t)rc < EKM_RC_COUNT ? (size_t)rc : EKM_INTERNAL;
}

int32_t ekm_code(enum ekm_rc rc)
{
    return rows[row_of(rc)].code;
}

const char *ekm_name(enum ekm_rc rc)
{
    return rows[row_of(rc)].name;
}

const char *ekm_text(enum ekm_rc rc)
{
    return rows[row_of(rc)].text;
}

bool ekm_retryable(enum ekm_rc rc)
{
    return rows[row_of(rc)].again;
}

bool ekm_concerns_key(enum ekm_rc rc)
{
    return rows[row_of(rc)].of_key;
}
