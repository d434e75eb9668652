/*
 * --record and --as: a recording of ekmhost, and an ekmhost that behaves as a recording showed.
 *
 * Called before the instance starts, on the main thread, because both change what is loaded later.
 */
#ifndef EKMHOST_RECORD_H
#define EKMHOST_RECORD_H

#include "instance.h"

/* The library writes the recording itself: a copy of its configuration, in the folder of the
 * instance, has the setting trace_file, and AKVEKM_CONFIG names the copy. False after a message. */
bool record_prepare(const struct options *options, const char *path);
/* Behaves as the recording shows where it contradicts an assumption, as far as ekmhost can. False
 * after a message. */
bool record_follow(struct options *options, const char *path);

#endif
