/*
 * cJSON for the wire modules: a body is parsed completely, read by path, and wiped before it is
 * freed.
 *
 * Only vault/wire*.c call it. A cJSON that the engine shares keeps its allocator. Any thread.
 */
#ifndef AKVEKM_VAULT_JSON_H
#define AKVEKM_VAULT_JSON_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/call.h"

/* Call it before anything else, with no other thread running: a private cJSON then wipes what it
 * frees. */
void json_start(void);

/* EKM_INVALID_ARGUMENT unless the body is one JSON object and nothing else. */
enum ekm_rc json_parse(const struct buf *body, cJSON **out) EKM_MUST_CHECK;
/* The same, and sets the call's failure: `not_json` with a note of what was expected, or a lack of
 * memory. */
enum ekm_rc json_demand(struct call *call, const struct buf *body, enum ekm_rc not_json,
                        const char *what, cJSON **out) EKM_MUST_CHECK;
/* Wipes every string; accepts NULL. */
void json_free(cJSON *json);

/* The member's text, NULL if it is absent or no string. Names are compared exactly. */
const char *json_text(const cJSON *object, const char *name);
/* An integer, also in quotes; false if absent or neither. */
bool json_integer(const cJSON *object, const char *name, int64_t *out);
/* Appends the decoded value of a base64 string. */
enum ekm_rc json_base64(const cJSON *object, const char *name, struct buf *out) EKM_MUST_CHECK;

#endif
