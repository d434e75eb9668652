/*
 * A cryptographic provider library loaded by path: the 17 exports, what it says of itself, its
 * sessions, each call with the two-call dance, traced and timed on stderr if asked, its breaches of
 * the interface reported (provider_conformance.h).
 *
 * Knows no catalog, raises no engine message: it gives codes. Any thread, any number of sessions;
 * unloading waits for nobody.
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

/* Loads, checks the exports, initializes, asks for info and algorithms. NULL: *fault says what
 * failed (everything is undone). */
struct provider_library *provider_library_load(const char *path, bool trace,
                                               struct provider_fault *fault);
void provider_library_unload(struct provider_library *library); /* Free and unload; NULL allowed */
/* How the engine that is played differs from what is assumed; before anything is loaded. */
struct provider_habits {
    bool no_algorithms;  /* the algorithms are not asked for at each load, but when needed */
    bool offers_buffers; /* no size is asked for first */
    bool aborts;         /* CloseSession with abort */
};
void provider_library_behave(const struct provider_habits *habits);
const struct provider_habits *provider_library_habits(void);

/* The algorithms, asked for if they were not; the provider's code. */
int provider_library_algorithms(struct provider_library *library);
const struct provider_info *provider_library_info(const struct provider_library *library);

/* Sessions. `spid` 0 is the engine. All functions below return the provider's code. */
int provider_session_open(struct provider_library *library, const char *identity,
                          const char *secret, int spid, struct provider_session **session);
/* A call of the session raised an exception: nothing of its library is called any more. */
void provider_session_broken(struct provider_session *session);
void provider_session_close(struct provider_session *session, bool abort_calls);

/* SqlCryptGetAlgorithmInfo, asked anew. */
int provider_session_algorithm(struct provider_session *session, SqlCpAlgId id,
                               struct provider_algorithm *algorithm);

/* The book of open sessions, for sys.dm_cryptographic_provider_sessions. Calls `each` for every
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
