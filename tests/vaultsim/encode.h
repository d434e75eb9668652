/*
 * The small encodings of the wire: base64url, percent encoding, random identifiers, clocks.
 *
 * Pure functions, any thread. Returned strings are malloc'd. If memory runs out, must() ends the
 * process, here and everywhere in vaultsim.
 */
#ifndef VAULTSIM_ENCODE_H
#define VAULTSIM_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns the pointer, or ends the process if it is NULL. */
void *must(void *pointer);
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

char *base64url_encode(const uint8_t *bytes, size_t len);
/* The standard alphabet, with padding. */
char *base64_encode(const uint8_t *bytes, size_t len);
/* Strict: URL alphabet, no padding, no blanks. NULL: refused; else len is set. */
uint8_t *base64url_decode(const char *text, size_t *len);
/* URL alphabet, with correct padding or none, as the service accepts it. */
uint8_t *base64url_decode_padded(const char *text, size_t *len);
/* Either alphabet, with or without padding, as Entra accepts thumbprints. */
uint8_t *base64_decode_any(const char *text, size_t *len);

/* The value of a field of an application/x-www-form-urlencoded body, decoded; NULL: absent. */
char *form_field(const char *body, const char *name);
char *form_decode(const char *text, size_t len);

/* `bytes` random bytes as lower-case hex; out holds 2 * bytes + 1. */
void hex_random(char *out, size_t bytes);
void guid_random(char out[37]);
/* A GUID of 36 characters, or of 32 hex digits, to lower case with dashes. */
bool guid_normalise(const char *text, char out[37]);

int64_t clock_ms(void);   /* monotonic */
int64_t clock_unix(void); /* seconds */

#endif
