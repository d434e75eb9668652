/*
 * Log segments of a database: lists, opens, begins and frees them (storage_log.c).
 *
 * The engine calls, one thread at a time for one database.
 */
#ifndef EKMHOST_STORAGE_LOG_H
#define EKMHOST_STORAGE_LOG_H

#include "storage.h"

struct storage_segment {
    int number;
    bool active; /* the one that is written; the others wait for a log backup */
    struct storage_wrapped key;
    size_t bytes;
};

/* Log segments in order. */
size_t storage_segments(const struct storage *storage, struct storage_segment *out, size_t cap);
bool storage_new_segment(struct storage *storage,
                         char why[256]); /* under the present wrapped key */
bool storage_free_segments(struct storage *storage,
                           char why[256]); /* for a log backup: deletes closed segments */
bool storage_log(struct storage *storage, const void *record, size_t len, char why[256]);

#endif
