/*
 * Backup files of a database (storage_backup.c).
 *
 * Pages are copied unchanged, with all live segments. One thread at a time for one database. All
 * functions: false with a reason in why[256].
 */
#ifndef EKMHOST_STORAGE_BACKUP_H
#define EKMHOST_STORAGE_BACKUP_H

#include "storage.h"

/* `outer` (NULL: none) is the key of WITH ENCRYPTION. */
struct storage_backup_key {
    uint8_t key[STORAGE_MAX_KEY];
    size_t key_len;
    struct storage_wrapped wrapped;
};
bool storage_backup(struct storage *storage, const char *path,
                    const struct storage_backup_key *outer, char why[256]);
bool storage_backup_log(struct storage *storage, const char *path,
                        const struct storage_backup_key *outer, char why[256]);
/* The facts of a backup that can be read without its key. `name` has 129 bytes.
 * outer->thumbprint_len 0: not encrypted. */
bool storage_backup_inspect(const char *path, char name[129], struct storage_wrapped *outer,
                            char why[256]);
/* Writes the files of `base`; storage_open opens the database afterwards. */
bool storage_restore(const char *path, const char *base, const char *name, const uint8_t *outer_key,
                     size_t key_len, char why[256]);

#endif
