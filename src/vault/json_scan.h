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

/* One object with blanks around it and nothing else, at most 60 levels deep. No zero in a string,
 * literal or escaped, because it would cut the string short unnoticed. */
bool json_scan(const char *text, size_t len);

/* the part between the quotes, in the text that was read */
struct json_span {
    const char *at; /* NULL: there is none */
    size_t len;
};
/* Reads the plain case without cJSON, which copies: one object of strings without escapes, and
 * nothing else. out[i] is then the first member with the name names[i]. False says nothing about
 * the text. */
bool json_scan_flat(const char *text, size_t len, const char *const *names, size_t count,
                    struct json_span *out);

#endif
