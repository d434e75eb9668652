/*
 * The Windows registry under HKEY_LOCAL_MACHINE, 64-bit view.
 *
 * Owns the keys that it opens; the caller closes them. Names and text are UTF-8, at most 255 and
 * PLAT_REGISTRY_TEXT_MAX characters. The *_win32.c and *_registry.c sources call it; any thread.
 */
#ifndef AKVEKM_PLATFORM_REGISTRY_H
#define AKVEKM_PLATFORM_REGISTRY_H

#include "platform/file.h"

#define PLAT_REGISTRY_NAME_CAP 766 /* 255 characters of three bytes, and the terminator */
#define PLAT_REGISTRY_TEXT_MAX 1023

struct plat_registry_key {
    void *native; /* NULL: none */
};
enum plat_registry_access { PLAT_REGISTRY_READ, PLAT_REGISTRY_WRITE };

/* `parent` NULL: HKEY_LOCAL_MACHINE. ABSENT if there is no such key, DENIED without the rights. */
enum plat_io plat_registry_open(const struct plat_registry_key *parent, const char *path,
                                enum plat_registry_access access, struct plat_registry_key *out);
/* Opens for writing; creates the key and those above it if they do not exist. */
enum plat_io plat_registry_create(const struct plat_registry_key *parent, const char *path,
                                  struct plat_registry_key *out);
void plat_registry_close(struct plat_registry_key *key); /* accepts none */

/* The number of subkeys. */
enum plat_io plat_registry_count(const struct plat_registry_key *key, uint32_t *count);
/* The name of a subkey, and when it was last written, in units of 100 ns. ABSENT after the last;
 * CHANGED if `key` itself was deleted. */
enum plat_io plat_registry_next(const struct plat_registry_key *key, uint32_t index, char *name,
                                size_t cap, uint64_t *written);
/* A text value of `key`, or of a subkey if `path` is not NULL. ABSENT if it is not text, TOO_BIG if
 * it is longer than out. */
enum plat_io plat_registry_text(const struct plat_registry_key *key, const char *path,
                                const char *value, char *out, size_t cap);
bool plat_registry_number(const struct plat_registry_key *key, const char *value, uint32_t *out);

enum plat_io plat_registry_set_text(const struct plat_registry_key *key, const char *value,
                                    const char *text);
enum plat_io plat_registry_set_number(const struct plat_registry_key *key, const char *value,
                                      uint32_t number);
/* Returns when everything written is on disk. */
enum plat_io plat_registry_flush(const struct plat_registry_key *key);

#endif
