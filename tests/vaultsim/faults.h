/*
 * The fault queue: the faults that wait for requests.
 *
 * One list under one lock; any thread. A request takes the first fault that matches it and has no
 * skips left. The plan that it gets is its own copy.
 */
#ifndef VAULTSIM_FAULTS_H
#define VAULTSIM_FAULTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "answer.h"

enum fault_action {
    FAULT_NONE,
    FAULT_STATUS,
    FAULT_DELAY,
    FAULT_HANG,
    FAULT_CUT,
    FAULT_CUT_BODY,
    FAULT_GARBAGE,
    FAULT_WRONG_KID,
    FAULT_OVERSIZED,
    FAULT_EXPIRED_TOKEN,
    FAULT_NO_CHALLENGE,
    FAULT_BODY,
    FAULT_SLOW,
    FAULT_EDIT,
    FAULT_GONE,
    FAULT_HANG_BODY,
    FAULT_TRUNCATE,
    FAULT_NEST,
    FAULT_SPLICE,
    FAULT_LONG_TOKEN,
    FAULT_UNRESOLVED_KEY,
    FAULT_HTML,
};

struct fault_plan {
    enum fault_action action;
    cJSON *spec; /* NULL: no fault */
};

/* NULL: queued; else the problem, which is a literal. */
const char *faults_add(const cJSON *spec);
cJSON *faults_to_json(void);
void faults_clear(void);

struct fault_plan faults_take(const char *method, const char *uri, const char *host);
/* Whether a `gone` is active: every request is cut, no connection is served. */
bool faults_is_gone(void);
void fault_plan_free(struct fault_plan *plan);
int fault_number(const struct fault_plan *plan, const char *name, int otherwise);
/* NULL: absent */
const char *fault_text(const struct fault_plan *plan, const char *name);

#endif
