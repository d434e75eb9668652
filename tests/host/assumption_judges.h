/*
 * How a recording is held against the single assumptions of assumption.c: counts of what speaks for
 * and against.
 *
 * No state, any thread.
 */
#ifndef EKMHOST_ASSUMPTION_JUDGES_H
#define EKMHOST_ASSUMPTION_JUDGES_H

#include "assumption.h"

typedef void assumption_judge(const struct recording *recording, struct assumption_count *count);

assumption_judge judge_enumeration;  /* A4: at each load */
assumption_judge judge_stays_loaded; /* A8 */
assumption_judge judge_own_session;  /* A10: one operation a session */
assumption_judge judge_create_order; /* A14 */
assumption_judge judge_move;         /* A19: no Decrypt after the Encrypt of a move */
assumption_judge judge_size_query;   /* A27: no buffer at first */
assumption_judge judge_final;        /* A28 */
assumption_judge judge_public_blob;  /* A29 */
assumption_judge judge_no_abort;     /* A30 */
assumption_judge judge_all_closed;   /* A31 */

#endif
