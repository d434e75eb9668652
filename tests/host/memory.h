/*
 * Memory that is there or ends the program, and the few text operations that everything else uses.
 *
 * ekmhost cannot go on without memory: it says so and exits with 3. Any module and any thread may
 * call. Returned memory belongs to the caller, who frees it by free().
 */
#ifndef EKMHOST_MEMORY_H
#define EKMHOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "platform.h"

void *memory_take(size_t len);            /* zeroed */
void *memory_grow(void *old, size_t len); /* new bytes are not zeroed */
char *memory_text(const char *text);      /* NULL stays NULL */
char *memory_text_n(const char *text, size_t len);
char *memory_format(const char *format, ...) PLATFORM_PRINTF(1, 2);
char *memory_hex(const uint8_t *bytes, size_t len); /* upper case, no prefix */
/* The bytes of hex digits; NULL if text is not hex. *len may be 0, then the result is not NULL
 * either. */
uint8_t *memory_unhex(const char *text, size_t *len);
void memory_wipe_text(char *text); /* wipes and frees; NULL allowed */

/* A text that grows; begins zeroed, data (NULL while nothing was appended) is always terminated. */
struct memory_text {
    char *data;
    size_t len, cap;
};
void memory_append(struct memory_text *text, const char *bytes, size_t len);

/* UTF-8 to UTF-16LE bytes and back; broken input becomes U+FFFD. *len counts bytes. */
uint8_t *memory_to_utf16(const char *text, size_t text_len, size_t *len);
char *memory_from_utf16(const uint8_t *bytes, size_t len, size_t *text_len);

/* The whole file, terminated by a zero that *len does not count (len may be NULL); NULL if it
 * cannot be read. */
char *memory_read_file(const char *path, size_t *len);
char *memory_read_stream(FILE *file, size_t *len); /* to its end */
/* Written aside with mode 0600, flushed, renamed. */
bool memory_write_file(const char *path, const void *data, size_t len);

#endif
