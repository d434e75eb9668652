/*
 * A recording of the calls of an engine, as the setting trace_file of the library writes it: one
 * line a call, `time process/thread function key=value ...`.
 *
 * Owns the text. Lines that are none are counted and left out. No state, any thread.
 */
#ifndef EKMHOST_RECORDING_H
#define EKMHOST_RECORDING_H

#include <stdbool.h>
#include <stddef.h>

struct recording_call {
    const char *time, *process, *thread, *function;
    const char *session; /* "" for a call without one */
    const char *fields;  /* key=value, each ended by a zero; an empty one ends them */
    long result;         /* -1: the line has none */
    long took_us;
};

struct recording {
    char *text;
    const char *title; /* of the first run: who recorded; "" if it is not there */
    struct recording_call *calls;
    size_t count, strange; /* lines that are no calls */
};

bool recording_read(struct recording *recording, const char *path);
void recording_free(struct recording *recording);

/* The value of a field; NULL if the call has no such one. */
const char *recording_field(const struct recording_call *call, const char *key);
/* Whether a field is a size with a pointer (`256p`). */
bool recording_offers(const struct recording_call *call, const char *key);
bool recording_is(const struct recording_call *call, const char *function);

#endif
