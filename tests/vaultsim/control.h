/*
 * The control endpoint: plain HTTP on 127.0.0.1, JSON, for tests and people.
 *
 * Call control_start once; it has its own threads. POST /stop sends SIGTERM to this process after
 * its response.
 */
#ifndef VAULTSIM_CONTROL_H
#define VAULTSIM_CONTROL_H

#include <stdbool.h>

bool control_start(int listener);
void control_stop(void);

#endif
