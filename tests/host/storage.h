/*
 * Files of one database: <base>.mdf (header, then pages of 8 KiB, AES-encrypted under the database
 * encryption key when encryption is on) and log segments <base>.<number>.ldf, each with the
 * thumbprint of its encryptor and its wrapped key in a clear header. The key is stored only
 * wrapped. Pure file format: knows no provider and no catalog. One thread at a time for one
 * database.
 */
#ifndef EKMHOST_STORAGE_H
#define EKMHOST_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORAGE_MAX_THUMBPRINT = 32, STORAGE_MAX_WRAPPED = 1024, STORAGE_MAX_KEY = 32 };

/* A database encryption key as it is stored: wrapped, with the thumbprint of its encryptor.
 * thumbprint_len 0: there is none. */
struct storage_wrapped {
    uint8_t thumbprint[STORAGE_MAX_THUMBPRINT];
    size_t thumbprint_len;
    uint8_t wrapped[STORAGE_MAX_WRAPPED];
    size_t wrapped_len;
};

struct storage;

/* All: NULL or false with a reason in why[256]. Creating makes an empty, unencrypted database with
 * one segment. */
struct storage *storage_create(const char *base, const char *name, char why[256]);
struct storage *storage_open(const char *base,
                             char why[256]); /* headers only; no key is needed yet */
void storage_close(struct storage *storage); /* wipes keys; NULL allowed */
bool storage_remove(const char *base);       /* the files */
/* Renames the files; nothing may be at the new place. */
bool storage_move(struct storage *storage, const char *base, char why[256]);
const char *storage_name(const struct storage *storage); /* as the header has it */
const char *storage_base(const struct storage *storage);

/* The encryption key of the database. */
bool storage_encrypted(const struct storage *storage); /* are the pages? */
const struct storage_wrapped *storage_wrapped_key(const struct storage *storage);
const char *
storage_algorithm(const struct storage *storage); /* AES_128, AES_192, AES_256; "" without key */
/* After storage_open: sets the plain key of the data file (segment 0) or of one log segment. False:
 * it is another key. */
bool storage_unlock(struct storage *storage, int segment, const uint8_t *key, size_t key_len);
bool storage_unlocked(const struct storage *storage);
const uint8_t *storage_key(const struct storage *storage,
                           size_t *key_len); /* plain, while unlocked */

/* The content: the bytes of all pages. *data is to be freed and ends with a zero. */
bool storage_read(struct storage *storage, uint8_t **data, size_t *len, char why[256]);
bool storage_write(struct storage *storage, const void *data, size_t len, char why[256]);

#endif
