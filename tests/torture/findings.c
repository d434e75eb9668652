#include "findings.h"

#include <stdio.h>
#include <string.h>

#define FINDINGS_MAX 512
#define TEXT_SIZE    1024

struct finding {
    const char *operation; /* the first */
    char refused[TEXT_SIZE], what[TEXT_SIZE];
    unsigned count;
};

static struct finding findings[FINDINGS_MAX];
static size_t count;
static unsigned beyond; /* more than there is room for */

static void findings_add(const char *operation, const struct meter_stack *refused_at,
                         const char *what)
{
    char refused[TEXT_SIZE];
    size_t at = 0;
    meter_describe(refused_at, refused, sizeof refused);
    while (at < count &&
           (strcmp(findings[at].refused, refused) != 0 || strcmp(findings[at].what, what) != 0)) {
        at++;
    }
    if (at == FINDINGS_MAX) {
        beyond++;
        return;
    }
    struct finding *finding = &findings[at];
    if (at == count) {
        count++;
        finding->operation = operation;
        memcpy(finding->refused, refused, sizeof refused);
        snprintf(finding->what, sizeof finding->what, "%s", what);
    }
    finding->count++;
}

void findings_add_leak(const char *operation, const struct meter_stack *refused_at,
                       unsigned long left, const struct meter_stack *left_at)
{
    char text[TEXT_SIZE - 64] = " an unknown place", what[TEXT_SIZE];
    if (left_at != NULL) {
        meter_describe(left_at, text, sizeof text);
    }
    snprintf(what, sizeof what, "leaks %lu, the last made by:%s", left, text);
    findings_add(operation, refused_at, what);
}

void findings_add_memory(const char *operation, const struct meter_stack *refused_at, int code,
                         unsigned failures)
{
    char what[128];
    snprintf(what, sizeof what, "remembered: the same call fails %u times more, with %d", failures,
             code);
    findings_add(operation, refused_at, what);
}

void findings_print(void)
{
    printf("OpenSSL: %zu findings\n", count);
    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = &findings[i];
        printf("  %u x, first in %s: %s\n    refused:%s\n", finding->count, finding->operation,
               finding->what, finding->refused);
    }
    if (beyond > 0) {
        printf("  and %u more, for which there is no room\n", beyond);
    }
}
