/*
 * The table of sessions. A handle is a number with a generation, never a pointer, so a stale or
 * forged one is an error and not a crash.
 *
 * Owns the sessions. Any thread. An open session does not change, except for what it remembers
 * between two calls. Closing unlinks it and sets its abort flag if asked; the last user frees it.
 */
#ifndef AKVEKM_PROVIDER_SESSION_H
#define AKVEKM_PROVIDER_SESSION_H

#include <stdatomic.h>

#include "akvekm/sqlcrypt.h"
#include "base/call.h"
#include "vault/vault.h"

struct key_list;  /* the session's list of the vault's keys */
struct name_memo; /* the response to a size query by name, see key_info.c; plain memory */

struct session {
    struct vault vault;
    atomic_bool aborted;
    atomic_uint references;
    _Atomic(struct key_list *) keys;  /* set once */
    _Atomic(struct name_memo *) memo; /* taken and put as a whole */
};

#define SESSION_MAX 65536 /* open at once; one more is EKM_SESSIONS_FULL */

/* Reads the credential, authenticates at the vault, adds the session. Writes *handle only on
 * success. */
enum ekm_rc session_open(struct call *call, const SqlCpCredential *auth,
                         SqlCpSession *handle) EKM_MUST_CHECK;
/* Reads IDENTITY and SECRET and checks them before anything is sent. On success the caller must
 * release vault->credential, and `odd` is a hint about SECRET in case Entra refuses it. */
#define SESSION_ODD_MAX 200
enum ekm_rc session_read_credential(struct call *call, const SqlCpCredential *auth,
                                    struct vault *vault, char odd[SESSION_ODD_MAX]) EKM_MUST_CHECK;

/* Takes over the vault's credential on success. */
enum ekm_rc session_add(const struct vault *vault, SqlCpSession *handle) EKM_MUST_CHECK;
/* NULL for a handle that is not open. The caller returns it with session_put. */
struct session *session_get(const SqlCpSession *handle);
void session_put(struct session *session); /* accepts NULL */
/* EKM_INVALID_ARGUMENT for a handle that is not open. */
enum ekm_rc session_close(const SqlCpSession *handle, bool abort) EKM_MUST_CHECK;

void session_abort_all(void);
/* Closes every session; none may be in use. */
void session_close_all(void);

#endif
