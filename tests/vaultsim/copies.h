/*
 * Requests that are sent once more while they are in service: one with the same client request id,
 * method, host and target as another one that is not answered yet.
 *
 * One list under one lock; any thread.
 */
#ifndef VAULTSIM_COPIES_H
#define VAULTSIM_COPIES_H

#include <stdbool.h>

#include "request.h"

/* Its headers have arrived: counted where it is such a copy. */
void copies_begin(const struct request *request);
void copies_end(const struct request *request);
/* This host sent a 429: from a second later on it should get no copy for half a minute. */
void copies_note_refusal(const char *host);
void copies_reset(void); /* forgets the refusals, with the counters */

#endif
