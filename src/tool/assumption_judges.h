/*
 * Compares the calls of a recording with the assumptions that the library can see, and counts those
 * that confirm and contradict each.
 *
 * Takes one call after the other, and keeps what it must know of processes, threads and sessions in
 * tables of fixed size. A call without room there is not counted. One thread.
 */
#ifndef AKVEKM_TOOL_ASSUMPTION_JUDGES_H
#define AKVEKM_TOOL_ASSUMPTION_JUDGES_H

#include "tool/call_table.h"
#include "tool/recording.h"

enum judge {
    JUDGE_NONE, /* the library cannot see it */
    JUDGE_ENUMERATION,
    JUDGE_STAYS_LOADED,
    JUDGE_OWN_SESSION,
    JUDGE_CREATE_ORDER,
    JUDGE_MOVE,
    JUDGE_SIZE_QUERY,
    JUDGE_FINAL,
    JUDGE_PUBLIC_BLOB,
    JUDGE_ABORT,
    JUDGE_ALL_CLOSED,
    JUDGE_COUNT
};

struct judge_count {
    unsigned long long for_it, against;
};

#define JUDGES_PROCESSES_MAX 64
struct judge_process {
    uint64_t number;
    unsigned long loads; /* that no call has judged yet */
    long long depth;     /* Initialize without Free */
    long long open;      /* sessions */
    bool had_session;    /* since it was loaded */
    bool moved;          /* the last call is the Encrypt of a move of a key */
    enum recording_function last;
    char last_thumb[72], last_time[sizeof RECORDING_TIME];
};

struct judges {
    struct judge_count counts[JUDGE_COUNT];
    struct judge_process processes[JUDGES_PROCESSES_MAX];
    size_t process_count;
    bool lost; /* processes had no room */
    struct call_table sessions, threads;
};

void judges_see(struct judges *judges, const struct recording_call *call);
void judges_end(struct judges *judges); /* nothing follows */

#endif
