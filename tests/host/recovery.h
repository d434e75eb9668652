/*
 * The start of the instance: every database of the catalog recovers, several at a time.
 *
 * Called once, by instance_start; its threads end before it returns.
 */
#ifndef EKMHOST_RECOVERY_H
#define EKMHOST_RECOVERY_H

#include "instance.h"

/* Failures go to the errorlog and leave the database RECOVERY PENDING. */
void recovery_run(struct instance *instance, int threads);

#endif
