/*
 * Writers of one map, several processes at once, killed at any moment. An entry that a call
 * reported as durable must stay in the file, and the file must be whole at any time.
 *
 * Owns the processes of the writers and the list of acknowledged entries. A writer is a child of
 * the test program and reports through a pipe. One thread.
 */
#ifndef AKVEKM_TORTURE_TORTURE_H
#define AKVEKM_TORTURE_TORTURE_H

#include <stdbool.h>
#include <stdint.h>

#define TORTURE_WRITERS_MAX 8

/* The report of a writer after a call returned Success. */
struct torture_ack {
    char thumbprint[65]; /* upper-case digits; "" while it is not known */
    char uri[256];       /* what the KeyUri begins with */
};

struct torture {
    const char *map_path;
    unsigned writers, kills, kills_a_round;
    uint64_t seed;
    /* In the child: writes entries for good, or exits when it cannot. `done`: how many of them this
     * writer acknowledged in this round, in this life or an earlier one. */
    void (*write)(void *context, unsigned round, unsigned writer, unsigned done, int pipe_handle);
    /* The longest that this writer may live once it is ready. */
    unsigned (*life_us)(void *context, unsigned writer);
    void *context;
};
struct torture_result {
    unsigned kills, acknowledged;
    unsigned within;  /* kills in the midst of a call */
    unsigned unheard; /* of them, with the entry in place already */
    unsigned aside;   /* kills that left a file written aside */
};
/* Fails the running cmocka test when an entry is missing or the file is not whole. */
void torture_run(const struct torture *torture, struct torture_result *result);

/* For writers: ready to be killed; then before and after the call for each entry. */
void torture_ready(int pipe_handle);
void torture_begin(int pipe_handle, const struct torture_ack *ack);
void torture_acknowledge(int pipe_handle, const struct torture_ack *ack);
/* The number of kills that the command line asks for. */
unsigned torture_kills(int argc, char **argv, unsigned otherwise);

#endif
