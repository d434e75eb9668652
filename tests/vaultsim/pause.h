/*
 * Waiting that can be ended: latency, delays, hangs.
 *
 * pause_for may be called by any thread and holds nothing of anyone's; pause_stop ends all waiting
 * for good, pause_release ends the present hangs.
 */
#ifndef VAULTSIM_PAUSE_H
#define VAULTSIM_PAUSE_H

#include <stdint.h>

enum pause_end { PAUSE_TIME, PAUSE_GONE, PAUSE_RELEASED, PAUSE_STOPPED };

void pause_init(void);
/* Waits duration_ms. With fd >= 0 the client's going away ends it, and so does pause_release. */
enum pause_end pause_for(int64_t duration_ms, int fd);
void pause_release(void);
void pause_stop(void);

#endif
