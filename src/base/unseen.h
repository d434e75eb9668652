/*
 * Characters that nobody sees: blanks, line ends and marks that get into a text by copy and paste.
 *
 * For whoever reads what people typed and must say what is wrong with it. Pure functions on UTF-8;
 * any thread.
 */
#ifndef AKVEKM_BASE_UNSEEN_H
#define AKVEKM_BASE_UNSEEN_H

#include <stddef.h>

/* The name, such as "a no-break space (U+00A0)", of the unseen character with which a text of `len`
 * bytes begins or ends; its size in *size. NULL: it does not. The names live for ever. */
const char *unseen_first(const char *text, size_t len, size_t *size);
const char *unseen_last(const char *text, size_t len, size_t *size);
/* What stands between the unseen characters at both ends: where it begins, and its length in *len.
 */
const char *unseen_trim(const char *text, size_t *len);

#endif
