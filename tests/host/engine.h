/*
 * The TDE engine: open databases, the keys that open them, recovery.
 *
 * Owns the list of open databases. It calls providers by engine sessions of its own (access.h).
 * Recovery runs on several threads, one database each; everything else on the thread of the script.
 */
#ifndef EKMHOST_ENGINE_H
#define EKMHOST_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "instance.h"
#include "storage.h"

enum { ENGINE_MASTER_ID = 1 };
enum engine_state { ENGINE_ONLINE, ENGINE_RECOVERY_PENDING, ENGINE_OFFLINE };

struct open_database {
    struct open_database *next;
    int id;
    enum engine_state state;
    struct storage *storage; /* NULL if its files cannot be opened, or offline */
    bool single_user;
    bool snapshot;          /* read-only, of another database */
    struct failure failure; /* why its recovery is pending */
};

void engine_stop(struct instance *instance);

struct open_database *engine_database(const struct instance *instance, int id);
/* Adds a database of the catalog to the list. Does not open its files. */
struct open_database *engine_add(struct instance *instance, const cJSON *database);
void engine_remove(struct instance *instance, int id);
const char *engine_state_text(enum engine_state state);

/* Opens the files and decrypts the keys of data file and log. The result is ONLINE, or RECOVERY
 * PENDING with its failure set. */
bool engine_recover(struct instance *instance, struct open_database *database);

/* Whether a connection may use the database; else 922, 926 or 942. System databases may always be
 * used. */
bool engine_usable(struct connection *connection, const cJSON *database, struct failure *failure);
/* The storage of the connection's database, if it is an online user database; else the failure
 * (33102 for a system one). */
struct open_database *engine_current(struct connection *connection, struct failure *failure);

/* Whether the database encryption key of an open database is under this asymmetric key of master.
 */
bool engine_uses_key(const struct instance *instance, const cJSON *key);

#endif
