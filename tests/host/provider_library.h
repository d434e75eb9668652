/*
 * A cryptographic provider library, loaded by its path: the 17 exports, its properties, its
 * sessions.
 *
 * Each call is made twice, for size and content, and traced and timed on stderr if asked. Breaches
 * of the interface are reported (provider_conformance.h). This module knows no catalog and raises
 * no message of the engine; it returns codes. Any thread, any number of sessions; unloading does
 * not wait for running calls.
 */
#ifndef EKMHOST_PROVIDER_LIBRARY_H
#define EKMHOST_PROVIDER_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <akvekm/sqlcrypt.h>

#include "provider_info.h"

struct provider_library; /* one loaded file, initialized */
struct provider_session;

/* Loads, checks the exports, initializes, asks for info and algorithms. NULL: *fault has the step
 * that failed, and everything is undone. */
struct provider_library *provider_library_load(const char *path, bool trace,
                                               struct provider_fault *fault);
void provider_library_unload(struct provider_library *library); /* Free and unload; NULL allowed */
/* How the imitated engine differs from the assumptions. Call it before anything is loaded. */
struct provider_habits {
    bool no_algorithms;  /* asks for the algorithms when they are needed, not at each load */
    bool offers_buffers; /* does not ask for a size first */
    bool aborts;         /* CloseSession with abort */
};
void provider_library_behave(const struct provider_habits *habits);
const struct provider_habits *provider_library_habits(void);

/* Asks for the algorithms, if that was not done. Returns the code of the provider. */
int provider_library_algorithms(struct provider_library *library);
const struct provider_info *provider_library_info(const struct provider_library *library);

/* Sessions. `spid` 0 is the engine. All functions below return the code of the provider. */
int provider_session_open(struct provider_library *library, const char *identity,
                          const char *secret, int spid, struct provider_session **session);
/* A call of the session raised an exception: from now on nothing of its library is called. */
void provider_session_broken(struct provider_session *session);
void provider_session_close(struct provider_session *session, bool abort_calls);

/* SqlCryptGetAlgorithmInfo, asked anew. */
int provider_session_algorithm(struct provider_session *session, SqlCpAlgId id,
                               struct provider_algorithm *algorithm);

/* The list of open sessions, for sys.dm_cryptographic_provider_sessions. Calls `each` for every
 * one. */
struct provider_session_entry {
    uint64_t handle;
    const char *identity;
    int spid;
};
void provider_library_sessions(struct provider_library *library,
                               void (*each)(void *context,
                                            const struct provider_session_entry *entry),
                               void *context);

#endif
