/*
 * Database encryption keys: the credential and asymmetric key that open them, and the calls of the
 * provider.
 *
 * Each call has an engine session of its own (access.h). Any thread; a storage belongs to one
 * thread.
 */
#ifndef EKMHOST_ENGINE_KEY_H
#define EKMHOST_ENGINE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance.h"
#include "storage.h"

/* One Encrypt or Decrypt with the credential of the login made from the key. The buffer of the
 * plain key has STORAGE_MAX_KEY bytes. */
bool engine_wrap(struct instance *instance, const cJSON *key, const uint8_t *plain, size_t len,
                 struct storage_wrapped *wrapped, struct failure *failure);
bool engine_unwrap(struct instance *instance, const struct storage_wrapped *wrapped, uint8_t *plain,
                   size_t *len, struct failure *failure);

/* Opens the files and decrypts the keys of data file and live segments; NULL after a failure. */
struct storage *engine_open(struct instance *instance, const char *base, struct failure *failure);

#endif
