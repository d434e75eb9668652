/*
 * What every door does when a call comes in and when it leaves again.
 *
 * Owns nothing; a struct entry_point lives on the door's stack and belongs to one thread. Enter:
 * the host's error state is kept, the login that the thread impersonates is set aside, the gate
 * counts the call in, the record is filled, the handle becomes a session. Leave: the outcome is
 * logged and mapped, everything is given back, the host finds error state and login as they were.
 */
#ifndef AKVEKM_PROVIDER_ENTRY_H
#define AKVEKM_PROVIDER_ENTRY_H

#include "base/call.h"
#include "platform/impersonation.h"
#include "platform/system.h"
#include "provider/session.h"

struct entry_openssl_error;

/* errno, the last error, OpenSSL's queue and the thread's login belong to the host. */
struct entry_engine_state {
    struct plat_errors errors;
    struct entry_openssl_error *queue; /* oldest first, NULL for an empty one */
    struct plat_impersonation login;
};
/* EKM_INTERNAL: the login cannot be set aside. All is as before, and the call must end here. */
enum ekm_rc entry_save_engine_state(struct entry_engine_state *host) EKM_MUST_CHECK;
/* What the call ends with: rc, or EKM_INTERNAL if the login cannot be put back. */
enum ekm_rc entry_restore_engine_state(struct entry_engine_state *host, enum ekm_rc rc);

struct entry_point {
    struct entry_engine_state host;
    bool inside;
    struct session *session; /* NULL for entry_begin */
    struct call call;        /* filled if inside */
};

/* Each enter is followed by entry_end, whatever it returned. */
enum ekm_rc entry_begin(struct entry_point *door, const char *operation) EKM_MUST_CHECK;
enum ekm_rc entry_begin_session(struct entry_point *door, const char *operation,
                                const SqlCpSession *handle) EKM_MUST_CHECK;
SqlCpError entry_end(struct entry_point *door, enum ekm_rc rc);

#endif
