/*
 * cJSON for the wire modules. A body is parsed completely, read by names, and wiped before it is
 * freed.
 *
 * Owns nothing; only vault/wire*.c call it, from any thread. A shared cJSON keeps its allocator.
 */
#ifndef AKVEKM_VAULT_JSON_H
#define AKVEKM_VAULT_JSON_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/call.h"

/* Call it before anything else, with no other thread running: a private cJSON then wipes what it
 * frees. */
void json_start(void);

/* Parses the body. EKM_INVALID_ARGUMENT: it is not exactly one JSON object. EKM_OUT_OF_MEMORY. */
enum ekm_rc json_parse(const struct buf *body, cJSON **out) EKM_MUST_CHECK;
/* The same, and sets the error in the call: `not_json` with the note `what`, or
 * EKM_OUT_OF_MEMORY. */
enum ekm_rc json_demand(struct call *call, const struct buf *body, enum ekm_rc not_json,
                        const char *what, cJSON **out) EKM_MUST_CHECK;
/* Wipes every string; accepts NULL. */
void json_free(cJSON *json);

/* The member's text; NULL if it is absent or no string. Names are compared exactly. */
const char *json_text(const cJSON *object, const char *name);
/* Reads an integer, which may be in quotes. False: it is absent or neither. */
bool json_integer(const cJSON *object, const char *name, int64_t *out);
/* Appends the decoded value of a base64 string. EKM_INVALID_ARGUMENT: it is absent or no base64. */
enum ekm_rc json_base64(const cJSON *object, const char *name, struct buf *out) EKM_MUST_CHECK;

#endif
