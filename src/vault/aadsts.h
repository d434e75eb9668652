/*
 * The meaning of Entra's error numbers, where an explanation helps.
 *
 * Facts: identity-wire.md sections 12 and 13. Immutable table; any thread.
 */
#ifndef AKVEKM_VAULT_AADSTS_H
#define AKVEKM_VAULT_AADSTS_H

#include "base/err.h"

struct aadsts {
    uint32_t number;
    enum ekm_rc rc;   /* EKM_OK: the `error` word decides */
    const char *text; /* for the log line */
};

/* NULL for a number that the table does not have. */
const struct aadsts *aadsts_find(uint32_t number);

#endif
