/*
 * The built library, called as a host does: a session for each thread, one key, one wrapped key.
 *
 * The operations are loop_operations. They end the program if a call fails or returns a wrong
 * result.
 */
#ifndef AKVEKM_BENCH_OURS_H
#define AKVEKM_BENCH_OURS_H

#include "harness.h"
#include "loop.h"
#include "sample.h"

struct ours {
    struct ekm ekm;
    SqlCpSession sessions[THREADS_MAX];
    unsigned session_count;
    struct sample sample;
};

/* Loads and initializes the library and opens `sessions` sessions. The caller reads or makes the
 * sample. */
void ours_open(struct ours *ours, unsigned sessions);
/* Finds the key by name, wraps sample_plain, and keeps both in `folder`. */
void ours_make_sample(struct ours *ours, const char *folder);
void ours_close(struct ours *ours);

void ours_decrypt(void *ours, unsigned thread);
void ours_encrypt(void *ours, unsigned thread);
void ours_find_key(void *ours, unsigned thread);
void ours_export(void *ours, unsigned thread);
void ours_open_and_close(void *ours, unsigned thread);
void ours_provider_info(void *ours, unsigned thread);
void ours_algorithm_info(void *ours, unsigned thread);

#endif
