/*
 * --record and --as: a recording of this stand-in, and a stand-in that behaves as a recording
 * showed.
 *
 * Before the instance starts, on the main thread: both change what is loaded later.
 */
#ifndef EKMHOST_RECORD_H
#define EKMHOST_RECORD_H

#include "instance.h"

/* The library writes the recording itself: a copy of its configuration in the instance's folder
 * has the setting trace_file, and AKVEKM_CONFIG names it. False after a message. */
bool record_prepare(const struct options *options, const char *path);
/* Takes over what the recording contradicts, as far as the stand-in can do otherwise. False after
 * a message. */
bool record_follow(struct options *options, const char *path);

#endif
