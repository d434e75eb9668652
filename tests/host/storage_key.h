/*
 * Changes of the database encryption key, and of the data under it (storage_key.c).
 *
 * The engine calls, one thread at a time for one database. All functions: false with a reason in
 * why[256].
 */
#ifndef EKMHOST_STORAGE_KEY_H
#define EKMHOST_STORAGE_KEY_H

#include "storage.h"

/* Sets or replaces the key (new plain key: pages are encrypted again if encryption is on); begins a
 * new segment under it. */
bool storage_set_key(struct storage *storage, const char *algorithm, const uint8_t *key,
                     size_t key_len, const struct storage_wrapped *wrapped, char why[256]);
/* The same plain key under another encryptor: changes the header and begins a new segment, but
 * changes no page. */
bool storage_rewrap(struct storage *storage, const struct storage_wrapped *wrapped, char why[256]);
bool storage_drop_key(struct storage *storage, char why[256]);
bool storage_set_encryption(struct storage *storage, bool on, char why[256]);

#endif
