/*
 * Hex, base64url, URL escapes, UUIDs and a hash.
 *
 * Encoding is strict. Base64 decoding accepts both alphabets and optional padding, and refuses
 * anything else (key-vault-wire.md section 2.6). Pure functions for any layer and thread.
 */
#ifndef AKVEKM_BASE_CODEC_H
#define AKVEKM_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Writes 2 * len upper-case characters and a zero byte. */
void hex_encode(const uint8_t *data, size_t len, char *out);
/* text must begin with 2 * len hex digits; otherwise false. */
bool hex_decode(const char *text, size_t len, uint8_t *out);

enum ekm_rc base64url_encode(const uint8_t *data, size_t len, struct buf *out) EKM_MUST_CHECK;
/* Appends to out. EKM_INVALID_ARGUMENT if the text is not base64. */
enum ekm_rc base64_decode(const char *text, size_t len, struct buf *out) EKM_MUST_CHECK;

/* Escapes for forms and queries: every character except unreserved ones as %XX (RFC 3986). */
enum ekm_rc url_escape(const char *text, size_t len, struct buf *out) EKM_MUST_CHECK;

/* FNV-1a over further bytes. It tells texts apart; it is no protection against forgery. */
#define FNV_START 14695981039346656037u
uint64_t fnv_add(uint64_t hash, const void *data, size_t len);

/* From 32 hex digits to the UUID form with hyphens. */
void uuid_group(const char *hex, char out[37]);
/* Reads a UUID of 32 hex digits, or of 36 characters with hyphens, and nothing else. Writes it in
 * lower case with hyphens. */
bool uuid_read(const char *text, size_t len, char out[37]);
/* Writes a version 4 UUID from random bytes that the process drew once: unique, not secret. False:
 * no random bytes are available. */
bool uuid_make(char out[37]);

#endif
