/*
 * Waits that can be ended: latency, delays, hangs.
 *
 * Any thread may call pause_for; it holds no lock. pause_stop ends all waits for good,
 * pause_release ends the current hangs.
 */
#ifndef VAULTSIM_PAUSE_H
#define VAULTSIM_PAUSE_H

#include <stdint.h>

enum pause_end { PAUSE_TIME, PAUSE_GONE, PAUSE_RELEASED, PAUSE_STOPPED };

void pause_init(void);
/* Waits duration_ms. With fd >= 0 it also ends when the client disconnects, or by pause_release. */
enum pause_end pause_for(int64_t duration_ms, int fd);
void pause_release(void);
void pause_stop(void);

#endif
