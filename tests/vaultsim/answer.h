/*
 * One HTTP response while it is made: status, body, headers; and the error bodies of Azure.
 *
 * An answer belongs to the thread that serves its request. answer_json takes ownership of the JSON.
 * Errors of a Managed HSM contain "(Activity ID: ...)": set activity_id before.
 */
#ifndef VAULTSIM_ANSWER_H
#define VAULTSIM_ANSWER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct answer_field {
    const char *name; /* a literal */
    char *value;
};

struct answer {
    unsigned status;
    char *body;
    size_t body_len;
    const char *content_type; /* a literal; NULL: no such header */
    const char *activity_id;
    bool is_hsm; /* as a Managed HSM writes: members in order of name, field names in lower case */
    struct answer_field fields[24];
    size_t field_count;
};

void answer_free(struct answer *answer);
/* Drops status and body, keeps the headers. */
void answer_text(struct answer *answer, unsigned status, const char *content_type,
                 const char *text);
void answer_json(struct answer *answer, unsigned status, cJSON *json);
/* {"error":{"code","message","innererror":{"code"}}}; inner may be NULL. */
void answer_error(struct answer *answer, unsigned status, const char *code, const char *inner,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Replaces a header of that name. */
void answer_field(struct answer *answer, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void answer_drop_field(struct answer *answer, const char *name);

#endif
