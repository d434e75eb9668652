/*
 * The control endpoint: plain HTTP on 127.0.0.1, JSON, for tests and people.
 *
 * control_start once; its own threads. POST /stop sends this process SIGTERM after its answer.
 */
#ifndef VAULTSIM_CONTROL_H
#define VAULTSIM_CONTROL_H

#include <stdbool.h>

bool control_start(int listener);
void control_stop(void);

#endif
