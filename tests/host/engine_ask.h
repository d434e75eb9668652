/*
 * A running database asks its provider for the key again: at a new log segment, a backup, a check,
 * a snapshot.
 *
 * Owns which codes of a provider count as an outage of the network, in which the key in memory
 * goes on; nobody outside SQL Server knows that list, so there are two (--outage-codes). On the
 * thread that has the database.
 */
#ifndef EKMHOST_ENGINE_ASK_H
#define EKMHOST_ENGINE_ASK_H

#include "connection.h"
#include "engine.h"

/* True without encryption, when the provider gave the key, and in an outage of the network (with a
 * line in the errorlog). Else the failure, and what asked must fail with it. */
bool engine_ask(struct instance *instance, struct open_database *database, struct failure *failure);

/* Before data are written: begins a new log segment when the present one is full. */
bool engine_log_room(struct connection *connection, struct open_database *database,
                     struct failure *failure);
/* Asks, unless trace flag 15025 is on, and begins the segment. */
bool engine_new_segment(struct instance *instance, struct open_database *database,
                        struct failure *failure);

#endif
