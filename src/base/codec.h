/*
 * Hex, base64url and URL escapes.
 *
 * Encoding is strict; base64 decoding takes both alphabets and optional padding, and refuses
 * anything else (key-vault-wire.md section 2.6). Pure functions; any floor may call, any thread.
 */
#ifndef AKVEKM_BASE_CODEC_H
#define AKVEKM_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* out gets 2 * len characters and a zero byte; upper case. */
void hex_encode(const uint8_t *data, size_t len, char *out);
/* text holds exactly 2 * len hex digits at its start; false if not. */
bool hex_decode(const char *text, size_t len, uint8_t *out);

enum ekm_rc base64url_encode(const uint8_t *data, size_t len, struct buf *out) EKM_MUST_CHECK;
/* EKM_INVALID_ARGUMENT for what is not base64; appended to out. */
enum ekm_rc base64_decode(const char *text, size_t len, struct buf *out) EKM_MUST_CHECK;

/* Form and query escaping: all but unreserved characters as %XX (RFC 3986). */
enum ekm_rc url_escape(const char *text, size_t len, struct buf *out) EKM_MUST_CHECK;

/* 32 characters, with hyphens as in a UUID. */
void uuid_group(const char *hex, char out[37]);
/* A UUID of 32 hex digits, or of 36 characters with hyphens, and nothing else: in lower case with
 * hyphens. */
bool uuid_read(const char *text, size_t len, char out[37]);
/* A version 4 UUID in the usual form, made of random bytes that the process drew once: unique, not
 * secret. False: no random bytes. */
bool uuid_make(char out[37]);

#endif
