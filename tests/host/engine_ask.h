/*
 * A running database asks its provider for the key again: at a new log segment, a backup, a check,
 * a snapshot.
 *
 * Decides which codes of a provider count as a network outage, in which the database uses the key
 * in memory. No public page has that list, so there are two (--outage-codes). On the thread that
 * uses the database.
 */
#ifndef EKMHOST_ENGINE_ASK_H
#define EKMHOST_ENGINE_ASK_H

#include "connection.h"
#include "engine.h"

/* True if there is no encryption, if the provider gave the key, or in a network outage (with a line
 * in the errorlog). Otherwise the failure is set, and the operation must fail with it. */
bool engine_ask(struct instance *instance, struct open_database *database, struct failure *failure);

/* Called before data are written: begins a new log segment if the current one is full. */
bool engine_log_room(struct connection *connection, struct open_database *database,
                     struct failure *failure);
/* Asks, unless trace flag 15025 is on, and begins the segment. */
bool engine_new_segment(struct instance *instance, struct open_database *database,
                        struct failure *failure);

#endif
