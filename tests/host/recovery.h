/*
 * The start of the instance: every database of the catalog recovers, several at a time.
 *
 * Called from the thread of the scripts; its own threads end before it returns.
 */
#ifndef EKMHOST_RECOVERY_H
#define EKMHOST_RECOVERY_H

#include "instance.h"

/* Failures go to the errorlog and leave the database RECOVERY PENDING. */
void recovery_run(struct instance *instance, int threads);
/* Closes all that is open and recovers it anew, as after a failover; offline ones stay so. */
void recovery_again(struct instance *instance, int threads);

#endif
