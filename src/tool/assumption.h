/*
 * The assumptions about SQL Server that docs/ekmhost.md lists, and what a recording says about
 * each.
 *
 * Owns the list; lint.assumptions compares its numbers with the page. No state, any thread.
 */
#ifndef AKVEKM_TOOL_ASSUMPTION_H
#define AKVEKM_TOOL_ASSUMPTION_H

#include <stdio.h>

#include "tool/assumption_judges.h"

enum assumption_verdict { ASSUMPTION_SILENT, ASSUMPTION_CONFIRMED, ASSUMPTION_CONTRADICTED };

struct assumption {
    const char *number, *text;
    enum judge judge;
};

extern const struct assumption assumptions[]; /* ends with a NULL number */

enum assumption_verdict assumption_verdict(const struct assumption *assumption,
                                           const struct judges *judges);

/* Whether the recording contradicts the assumption of this number. */
bool assumption_contradicted(const char *number, const struct judges *judges);

/* A line for each. */
void assumption_print(const struct judges *judges, FILE *out);

#endif
