/*
 * A TCP relay on a thread of its own that makes every round trip cost `latency`. Each direction is
 * delayed by half of it. The first bytes of a new connection are delayed by all of it once more, as
 * if connecting had cost a round trip.
 */
#ifndef AKVEKM_BENCH_RELAY_H
#define AKVEKM_BENCH_RELAY_H

/* Returns the port on 127.0.0.1 that leads to `target_port`. Ends with the program; one at a time.
 */
int relay_start(int target_port);
void relay_set_latency_ms(unsigned latency_ms);
/* From now on forwards nothing over the open connections, not even their end. Safe in a signal
 * handler. */
void relay_silence(void);

#endif
