/*
 * What every door does when a call comes in and when it leaves again.
 *
 * Owns nothing; a struct entry_point lives on the door's stack and belongs to one thread. Enter:
 * the host's error state is kept, the gate counts the call in, the record is filled, the handle
 * becomes a session. Leave: the outcome is logged and mapped, everything is given back, the host
 * finds its error state as it was.
 */
#ifndef AKVEKM_PROVIDER_ENTRY_H
#define AKVEKM_PROVIDER_ENTRY_H

#include "base/call.h"
#include "platform/system.h"
#include "provider/session.h"

struct entry_openssl_error;

/* errno, the last error and OpenSSL's queue belong to the host. */
struct entry_engine_state {
    struct plat_errors errors;
    struct entry_openssl_error *queue; /* oldest first, NULL for an empty one */
};
void entry_save_engine_state(struct entry_engine_state *host);
void entry_restore_engine_state(const struct entry_engine_state *host);

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
