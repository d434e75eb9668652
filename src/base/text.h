/*
 * Text with checked sizes: copies into arrays, ASCII comparison, numbers, character sets, UTF-16.
 *
 * Nothing depends on the locale. If cap > 0 the destination is always terminated. False means that
 * the text did not fit; the destination then holds its beginning. Any layer and thread.
 */
#ifndef AKVEKM_BASE_TEXT_H
#define AKVEKM_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TEXT_HOST_CAP 254 /* room for the longest DNS name and its zero byte */

bool text_copy(char *dst, size_t cap, const char *src);
bool text_copy_n(char *dst, size_t cap, const char *src, size_t len);
bool text_format(char *dst, size_t cap, const char *format, ...) EKM_PRINTF(3, 4);
/* Writes `parts` one after the other, up to a NULL. Cheaper than a format, for code that every call
 * runs. */
bool text_join(char *dst, size_t cap, const char *const *parts);
/* Writes a decimal number, with leading zeros up to `width`, and returns the length. */
#define TEXT_U64_MAX 20
size_t text_from_u64(uint64_t value, size_t width, char out[TEXT_U64_MAX + 1]);

/* ASCII letters are equal in either case. */
bool text_equal_nocase(const char *a, const char *b);
bool text_equal_nocase_n(const char *a, const char *b, size_t len);
bool text_ends_nocase(const char *text, const char *end);
void text_lower(char *text);

bool text_is_alnum(char c); /* 0-9 A-Z a-z */
bool text_is_digit(char c);
/* The number of leading characters that are 0-9 A-Z a-z or in `extra`, at most max_len. */
size_t text_name_len(const char *text, const char *extra, size_t max_len);
/* Whether text is 1..max_len characters of 0-9 A-Z a-z and those in `extra`. */
bool text_is_name(const char *text, const char *extra, size_t max_len);

/* The length of a byte order mark, with which some editors begin a file, or 0. */
size_t text_mark_len(const char *text, size_t len);

/* Decimal digits only, at most `max`; no sign, no blanks, at least one digit. */
bool text_to_u64(const char *text, uint64_t max, uint64_t *out);

/* Appends UTF-8. EKM_INVALID_ARGUMENT for a lone surrogate or a NUL inside. */
enum ekm_rc text_from_utf16(const uint16_t *units, size_t count, struct buf *out) EKM_MUST_CHECK;
/* The number of UTF-16 units of valid UTF-8 `text`. Writes them if dst has room for all. */
size_t text_to_utf16(const char *text, uint16_t *dst, size_t cap_units);

#endif
