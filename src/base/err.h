/*
 * The table of failures: name, code for SQL Server, text, and whether a retry may help.
 *
 * Codes and meanings: specification.md section 6 and the connector's published list. docs/errors.md
 * explains every code. Immutable; any layer and thread.
 */
#ifndef AKVEKM_BASE_ERR_H
#define AKVEKM_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err_table.h"

enum ekm_rc {
#define EKM_ENUM(name, code, again, of_key, text) name,
    EKM_ERRORS(EKM_ENUM)
#undef EKM_ENUM
        EKM_RC_COUNT
};

/* The code that SQL Server sees: SqlCpError, a documented code. */
int32_t ekm_code(enum ekm_rc rc);
const char *ekm_name(enum ekm_rc rc);
/* One sentence without a final stop, for the log. */
const char *ekm_text(enum ekm_rc rc);
/* Whether the same request may succeed a moment later (specification.md section 7). */
bool ekm_retryable(enum ekm_rc rc);
/* Whether it concerns only the requested key, so that a search continues with the next one. */
bool ekm_concerns_key(enum ekm_rc rc);

#if defined(__MINGW32__) && !defined(__clang__)
#define EKM_FORMAT gnu_printf /* with __USE_MINGW_ANSI_STDIO */
#else
#define EKM_FORMAT printf
#endif
#if defined(__GNUC__)
#define EKM_MUST_CHECK                  __attribute__((warn_unused_result))
#define EKM_PRINTF(format_index, first) __attribute__((format(EKM_FORMAT, format_index, first)))
#else
#define EKM_MUST_CHECK
#define EKM_PRINTF(format_index, first)
#endif

#endif
