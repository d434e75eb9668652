/*
 * The catalog of the instance: a JSON document of lists (providers, credentials, logins, keys,
 * databases), kept in catalog.json.
 *
 * Owns that file (0600, replaced atomically) and machine.key beside it (0600), under which the
 * secrets of credentials are encrypted by AES-256-GCM. Entries are cJSON objects with "id" and
 * "name"; names compare without case. Only one thread may write at a time; while no thread writes,
 * any number may read.
 */
#ifndef EKMHOST_CATALOG_H
#define EKMHOST_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

struct catalog {
    cJSON *root;
    char *path;
    bool changed;
    uint8_t machine_key[32];
};

/* A folder without a catalog gets a new one. False: `why` (to be freed) has the reason. */
bool catalog_open(struct catalog *catalog, const char *folder, char **why);
bool catalog_save(struct catalog *catalog); /* only if something changed */
void catalog_close(struct catalog *catalog);

cJSON *catalog_list(const struct catalog *catalog, const char *list);
cJSON *catalog_find(const struct catalog *catalog, const char *list, const char *name);
cJSON *catalog_find_number(const struct catalog *catalog, const char *list, const char *field,
                           int value);
cJSON *catalog_find_text(const struct catalog *catalog, const char *list, const char *field,
                         const char *value);
/* Keys belong to a database; their names are unique within it. */
cJSON *catalog_find_key(const struct catalog *catalog, const char *list, int database_id,
                        const char *name);

cJSON *catalog_add(struct catalog *catalog, const char *list, const char *name);
void catalog_remove(struct catalog *catalog, const char *list, cJSON *entry);
void catalog_set_text(struct catalog *catalog, cJSON *entry, const char *field, const char *value);
void catalog_set_number(struct catalog *catalog, cJSON *entry, const char *field, int value);
const char *catalog_text(const cJSON *entry, const char *field); /* "" if absent */
int catalog_number(const cJSON *entry, const char *field);       /* 0 if absent */
int catalog_id(const cJSON *entry);

/* sp_configure: the value in use, since RECONFIGURE. */
bool catalog_setting(const struct catalog *catalog, const char *name);

/* Hexadecimal digits of nonce, cipher text and tag. Decrypting returns NULL if the machine key is
 * another one. Free the results, the second by memory_wipe_text. */
char *catalog_seal(const struct catalog *catalog, const char *secret);
char *catalog_unseal(const struct catalog *catalog, const char *sealed);

#endif
