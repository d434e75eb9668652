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

/* A database encryption key as it is stored: by which encryptor, wrapped. thumbprint_len 0: there
 * is none. */
struct storage_wrapped {
    uint8_t thumbprint[STORAGE_MAX_THUMBPRINT];
    size_t thumbprint_len;
    uint8_t wrapped[STORAGE_MAX_WRAPPED];
    size_t wrapped_len;
};

struct storage_segment {
    int number;
    bool active; /* the one that is written; the others wait for a log backup */
    struct storage_wrapped key;
    size_t bytes;
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
/* Sets or replaces the key (new plain key: pages are encrypted again if encryption is on); begins a
 * new segment under it. */
bool storage_set_key(struct storage *storage, const char *algorithm, const uint8_t *key,
                     size_t key_len, const struct storage_wrapped *wrapped, char why[256]);
/* The same plain key under another encryptor: the header changes and a new segment begins, no page
 * does. */
bool storage_rewrap(struct storage *storage, const struct storage_wrapped *wrapped, char why[256]);
bool storage_drop_key(struct storage *storage, char why[256]);
bool storage_set_encryption(struct storage *storage, bool on, char why[256]);

/* After storage_open: gives the plain key of the data file (segment 0) or of one log segment;
 * false: it is not the key. */
bool storage_unlock(struct storage *storage, int segment, const uint8_t *key, size_t key_len);
bool storage_unlocked(const struct storage *storage);
const uint8_t *storage_key(const struct storage *storage,
                           size_t *key_len); /* plain, while unlocked */

/* Log segments in order. */
size_t storage_segments(const struct storage *storage, struct storage_segment *out, size_t cap);
bool storage_new_segment(struct storage *storage,
                         char why[256]); /* under the present wrapped key */
bool storage_free_segments(struct storage *storage,
                           char why[256]); /* a log backup: closed ones go */
bool storage_log(struct storage *storage, const void *record, size_t len, char why[256]);

/* The content, one run of bytes over the pages. *data to be freed, followed by a zero. */
bool storage_read(struct storage *storage, uint8_t **data, size_t *len, char why[256]);
bool storage_write(struct storage *storage, const void *data, size_t len, char why[256]);

/* Backups. The pages go as they are, with all live segments; `outer` (NULL: none) is the key of
 * WITH ENCRYPTION. */
struct storage_backup_key {
    uint8_t key[STORAGE_MAX_KEY];
    size_t key_len;
    struct storage_wrapped wrapped;
};
bool storage_backup(struct storage *storage, const char *path,
                    const struct storage_backup_key *outer, char why[256]);
bool storage_backup_log(struct storage *storage, const char *path,
                        const struct storage_backup_key *outer, char why[256]);
/* What a backup says before anything is decrypted. `name` has 129 bytes. outer->thumbprint_len 0:
 * not encrypted. */
bool storage_backup_inspect(const char *path, char name[129], struct storage_wrapped *outer,
                            char why[256]);
/* Writes the files of `base`; the database is opened by storage_open afterwards. */
bool storage_restore(const char *path, const char *base, const char *name, const uint8_t *outer_key,
                     size_t key_len, char why[256]);

#endif
