/*
 * The assumptions of docs/ekmhost.md, and what a recording of a real engine says about each.
 *
 * Owns the list; lint.assumptions holds its numbers against the page. No state, any thread.
 */
#ifndef EKMHOST_ASSUMPTION_H
#define EKMHOST_ASSUMPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "recording.h"

enum assumption_verdict { ASSUMPTION_SILENT, ASSUMPTION_CONFIRMED, ASSUMPTION_CONTRADICTED };

/* Tells numbers of calls for and against. */
struct assumption_count {
    long for_it, against;
};

struct assumption {
    const char *number, *text;
    /* NULL: the library cannot see it. */
    void (*judge)(const struct recording *recording, struct assumption_count *count);
};

extern const struct assumption assumptions[]; /* ends with a NULL number */

enum assumption_verdict assumption_verdict(const struct assumption *assumption,
                                           const struct recording *recording,
                                           struct assumption_count *count);
/* Whether the recording contradicts the assumption of this number. */
bool assumption_contradicted(const char *number, const struct recording *recording);
/* A report that can be sent: no names, no thumbprints. */
void assumption_report(const struct recording *recording, FILE *out);

#endif
