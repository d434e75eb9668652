/*
 * What every export does at its start and its end.
 *
 * Owns nothing; a struct entry_point is on the export's stack and belongs to one thread. At the
 * start: save the engine's error state, set the login that the thread impersonates aside, count the
 * call, fill the call record, find the session of the handle. At the end: log and map the outcome,
 * release everything, restore the engine's error state and the login.
 */
#ifndef AKVEKM_PROVIDER_ENTRY_H
#define AKVEKM_PROVIDER_ENTRY_H

#include "base/call.h"
#include "platform/impersonation.h"
#include "platform/system.h"
#include "provider/session.h"

struct entry_openssl_error;

/* errno, the last error, OpenSSL's error queue and the thread's login, which belong to the
 * engine. */
struct entry_engine_state {
    struct plat_errors errors;
    struct entry_openssl_error *queue; /* oldest first, NULL for an empty one */
    struct plat_impersonation login;
};
/* EKM_INTERNAL: the login cannot be set aside. Nothing has changed, and the call must end here. */
enum ekm_rc entry_save_engine_state(struct entry_engine_state *engine) EKM_MUST_CHECK;
/* EKM_INTERNAL: the login cannot be put back, and that is the result of the call. */
enum ekm_rc entry_restore_engine_state(struct entry_engine_state *engine) EKM_MUST_CHECK;

struct entry_point {
    struct entry_engine_state engine;
    bool inside;
    enum ekm_rc rc;          /* the result of the call */
    struct session *session; /* NULL for entry_begin */
    struct call call;        /* filled if the call was let in */
};

/* False: the call must not be made, and `rc` says why. Otherwise the caller makes it and stores its
 * result in `rc`. Each of them must be followed by entry_end, whatever it returned. */
bool entry_begin(struct entry_point *entry, const char *operation) EKM_MUST_CHECK;
bool entry_begin_session(struct entry_point *entry, const char *operation,
                         const SqlCpSession *handle) EKM_MUST_CHECK;
SqlCpError entry_end(struct entry_point *entry);

#endif
