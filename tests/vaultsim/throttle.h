/*
 * The service limits, for each vault and window, weighted by operation, key size and protection.
 *
 * One table under one lock; any thread. Refused requests do not count against the limit (the
 * published pages contradict each other).
 */
#ifndef VAULTSIM_THROTTLE_H
#define VAULTSIM_THROTTLE_H

#include "keystore.h"
#include "request.h"
#include "settings.h"

/* 0: admitted; else the seconds until the window ends. view: the key, its pkey may be NULL. */
int throttle_admit(const struct settings *settings, const char *host, enum operation operation,
                   const struct key_view *view);

#endif
