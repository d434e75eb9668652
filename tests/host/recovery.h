/*
 * The start of the instance: recovers every database of the catalog, several at a time.
 *
 * Called from the thread of the scripts; its own threads end before it returns.
 */
#ifndef EKMHOST_RECOVERY_H
#define EKMHOST_RECOVERY_H

#include "instance.h"

/* A failure is written to the errorlog and leaves the database RECOVERY PENDING. */
void recovery_run(struct instance *instance, int threads);
/* Closes all open databases and recovers them again, as after a failover. Offline ones stay
 * offline. */
void recovery_again(struct instance *instance, int threads);

#endif
