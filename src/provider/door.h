/*
 * What every door does when a call comes in and when it leaves again.
 *
 * Owns nothing; a struct door lives on the door's stack and belongs to one thread. Enter: the
 * host's error state is kept, the gate counts the call in, the record is filled, the handle becomes
 * a session. Leave: the outcome is logged and mapped, everything is given back, the host finds its
 * error state as it was.
 */
#ifndef AKVEKM_PROVIDER_DOOR_H
#define AKVEKM_PROVIDER_DOOR_H

#include "base/call.h"
#include "platform/system.h"
#include "provider/session.h"

struct door_openssl_error;

/* errno, the last error and OpenSSL's queue belong to the host. */
struct door_host_state {
    struct plat_errors errors;
    struct door_openssl_error *queue; /* oldest first, NULL for an empty one */
};
void door_keep_host_state(struct door_host_state *host);
void door_restore_host_state(const struct door_host_state *host);

struct door {
    struct door_host_state host;
    bool inside;
    struct session *session; /* NULL for door_enter */
    struct call call;        /* filled if inside */
};

/* Each enter is followed by door_leave, whatever it returned. */
enum ekm_rc door_enter(struct door *door, const char *operation) EKM_MUST_CHECK;
enum ekm_rc door_enter_session(struct door *door, const char *operation,
                               const SqlCpSession *handle) EKM_MUST_CHECK;
SqlCpError door_leave(struct door *door, enum ekm_rc rc);

#endif
