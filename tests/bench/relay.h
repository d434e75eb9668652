/*
 * A TCP relay on a thread of its own that makes every turn cost `latency`: each direction delays
 * what it carries by half of it, and a new connection's first bytes once more by all of it, as if
 * connecting had cost a turn.
 */
#ifndef AKVEKM_BENCH_RELAY_H
#define AKVEKM_BENCH_RELAY_H

/* Gives the port on 127.0.0.1 that leads to `target_port`. Ends with the program; one at a time. */
int relay_start(int target_port);
void relay_set_latency_ms(unsigned latency_ms);
/* From now on nothing goes over the connections that are open, not even their end. Safe in a signal
 * handler. */
void relay_silence(void);

#endif
