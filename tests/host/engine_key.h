/*
 * Database encryption keys and the providers that open them: whose credential, which asymmetric
 * key.
 *
 * By engine sessions (access.h), each call with one of its own. Any thread; a storage belongs to
 * one.
 */
#ifndef EKMHOST_ENGINE_KEY_H
#define EKMHOST_ENGINE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance.h"
#include "storage.h"

/* One Encrypt or Decrypt with the credential of the login made from the key. The plain key has
 * STORAGE_MAX_KEY bytes of room. */
bool engine_wrap(struct instance *instance, const cJSON *key, const uint8_t *plain, size_t len,
                 struct storage_wrapped *wrapped, struct failure *failure);
bool engine_unwrap(struct instance *instance, const struct storage_wrapped *wrapped, uint8_t *plain,
                   size_t *len, struct failure *failure);

/* Files opened, data file and live segments unlocked; NULL after the failure. */
struct storage *engine_open(struct instance *instance, const char *base, struct failure *failure);

#endif
