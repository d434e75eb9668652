/*
 * Load for some seconds: every database is recovered again and again, or written to.
 *
 * --storm recover:SECONDS and write:SECONDS, after the start and before the scripts, on --sessions
 * threads. All of them have ended when storm_run returns.
 */
#ifndef EKMHOST_STORM_H
#define EKMHOST_STORM_H

#include "instance.h"

/* False: not "recover:N" or "write:N". */
bool storm_is_valid(const char *what);
void storm_run(struct instance *instance, const char *what);

#endif
