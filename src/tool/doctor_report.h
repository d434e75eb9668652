/*
 * akv-ekm doctor: one report of steps, each with outcome, time and what to do.
 *
 * A step is begun, done and reported. The first step that finds a fault reports it; steps that then
 * cannot run are reported as skipped. One thread.
 */
#ifndef AKVEKM_TOOL_DOCTOR_REPORT_H
#define AKVEKM_TOOL_DOCTOR_REPORT_H

#include "tool/connection.h"
#include "tool/probe.h"
#include "tool/tool.h"

enum doctor_outcome { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAILED, DOCTOR_SKIPPED };

struct doctor {
    const struct tool_options *options;
    struct connection connection;
    enum ekm_rc credential; /* the result of reading IDENTITY and SECRET */
    struct call call;       /* of the step at work */
    uint64_t began_ms;
    unsigned steps, failed, warned, requests, throttled;
    bool reached; /* TLS to the vault works */
    bool signed_in;
    char network[160]; /* the path that the vault saw */
    struct key_id key;
    struct vault_key found; /* id.version "": not found */
};

void doctor_begin(struct doctor *doctor);

/* `todo` may be NULL. */
void doctor_report(struct doctor *doctor, const char *step, enum doctor_outcome outcome,
                   const char *todo, const char *format, ...) EKM_PRINTF(5, 6);

/* Reports the error in the doctor's call, with what errors.md says to do. */
void doctor_report_failure(struct doctor *doctor, const char *step, enum ekm_rc rc);

/* Writes "2027-01-31, 61 days" for what ends then. A warning if fewer than warn_days are left. */
#define DOCTOR_END_MAX 48
enum doctor_outcome doctor_judge_end(int64_t end_s, int64_t warn_days, char text[DOCTOR_END_MAX]);

#define DOCTOR_PLAIN_BYTES 32 /* an AES-256 key, as SQL Server wraps */
/* Whether `vault`'s unwrapping gave the bytes that were wrapped. */
void doctor_report_opened(struct doctor *doctor, const char *step, const char *vault,
                          const uint8_t plain[DOCTOR_PLAIN_BYTES], const struct buf *opened,
                          const char *todo);

/* The groups of steps, in this order. False: the remaining steps make no sense. */
bool doctor_look_here(struct doctor *doctor);
void doctor_look_at_way(struct doctor *doctor);
void doctor_look_at_vault(struct doctor *doctor);
void doctor_look_at_map(struct doctor *doctor);
void doctor_look_at_second(struct doctor *doctor);

#endif
