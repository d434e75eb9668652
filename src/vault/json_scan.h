/*
 * Checks whether a body is JSON before cJSON sees it.
 *
 * When cJSON gives up on a body, it frees the part that it has parsed without wiping it. So cJSON
 * must never start with a body that it cannot finish. A parse that fails after this check failed
 * for lack of memory. Pure functions; any thread.
 */
#ifndef AKVEKM_VAULT_JSON_SCAN_H
#define AKVEKM_VAULT_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is one object with blanks around it and nothing else, at most 60 levels deep. No
 * string may contain a zero, literal or escaped, because that would cut the string unnoticed. */
bool json_scan(const char *text, size_t len);

/* The part between the quotes. It points into the text. */
struct json_span {
    const char *at; /* NULL: there is none */
    size_t len;
};
/* Reads a simple text without cJSON, which copies: one object of strings without escapes, and
 * nothing else. out[i] is the first member with the name names[i]. False: the text is not so
 * simple; it may still be valid JSON. */
bool json_scan_flat(const char *text, size_t len, const char *const *names, size_t count,
                    struct json_span *out);

#endif
