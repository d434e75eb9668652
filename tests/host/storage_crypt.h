/*
 * The ciphers of database files: AES-CBC for pages, AES-CTR for log records and backups, and a
 * check value that distinguishes keys.
 *
 * Keys of 16, 24 or 32 bytes choose AES-128, -192, -256. Pure functions, any thread.
 */
#ifndef EKMHOST_STORAGE_CRYPT_H
#define EKMHOST_STORAGE_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORAGE_PAGE_LEN = 8192, STORAGE_CHECK_HEX = 17, STORAGE_DIGEST_HEX = 65 };

/* In place; the page number makes the initialization vector. */
bool storage_crypt_page(const uint8_t *key, size_t key_len, uint64_t page, uint8_t *data,
                        bool encrypt);
/* In place, either direction. */
bool storage_crypt_stream(const uint8_t *key, size_t key_len, const uint8_t iv[16], uint8_t *data,
                          size_t len);
/* Hexadecimal digits of 8 bytes that show whether two keys are the same, and nothing else about a
 * key. */
void storage_crypt_check(const uint8_t *key, size_t key_len, char out[STORAGE_CHECK_HEX]);
/* SHA-256, hex. */
void storage_crypt_digest(const void *data, size_t len, char out[STORAGE_DIGEST_HEX]);

#endif
