/*
 * Whether a body is JSON, before cJSON sees it.
 *
 * What cJSON begins to parse and then gives up, it frees unwiped: it shall begin with nothing that
 * it cannot finish. So a parse that fails after this has failed for want of memory. Pure; any
 * thread.
 */
#ifndef AKVEKM_VAULT_JSON_SCAN_H
#define AKVEKM_VAULT_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* One object, blanks around it, and nothing else; at most 60 deep; no zero in a string, written out
 * or escaped, as it would cut the string short unseen. */
bool json_scan(const char *text, size_t len);

/* Between its quotes, in the text that was read. */
struct json_span {
    const char *at; /* NULL: there is none */
    size_t len;
};
/* Reads the plain case without cJSON, which copies: one object of strings without escapes, and
 * nothing else. out[i] is then the first member called names[i]. False says nothing about the text.
 */
bool json_scan_flat(const char *text, size_t len, const char *const *names, size_t count,
                    struct json_span *out);

#endif
