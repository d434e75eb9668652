/*
 * Invisible characters: blanks, line ends and marks that people paste into a text without noticing.
 *
 * For code that reads what people typed and must say what is wrong with it. Pure functions on
 * UTF-8; any thread.
 */
#ifndef AKVEKM_BASE_UNSEEN_H
#define AKVEKM_BASE_UNSEEN_H

#include <stddef.h>

/* The name, such as "a no-break space (U+00A0)", of the invisible character at the beginning or end
 * of a text of `len` bytes, and its size in *size. NULL: there is none. The names are static. */
const char *unseen_first(const char *text, size_t len, size_t *size);
const char *unseen_last(const char *text, size_t len, size_t *size);
/* The text without invisible characters at both ends: its start, and its length in *len. */
const char *unseen_trim(const char *text, size_t *len);

#endif
