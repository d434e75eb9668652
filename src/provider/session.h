/*
 * The table of sessions: handles with a generation, never pointers; a stale or forged one is an
 * error, not a crash.
 *
 * Owns the sessions. Any thread. A session is immutable once open, but for what it remembers
 * between two calls; closing unlinks it and raises its abort flag if asked, the last user frees it.
 */
#ifndef AKVEKM_PROVIDER_SESSION_H
#define AKVEKM_PROVIDER_SESSION_H

#include <stdatomic.h>

#include "akvekm/sqlcrypt.h"
#include "base/call.h"
#include "vault/vault.h"

struct key_enum;  /* the session's snapshot of the vault's keys, see listing.h */
struct name_memo; /* the answer to a size query by name, see keyinfo.c; plain memory */

struct session {
    struct vault vault;
    atomic_bool aborted;
    atomic_uint references;
    _Atomic(struct key_enum *) listing; /* set once */
    _Atomic(struct name_memo *) memo;   /* taken and put as a whole */
};

#define SESSION_MAX 65536 /* open at once; one more is EKM_SESSIONS_FULL */

/* Reads the credential, authenticates at the vault, adds the session. *handle is written on success
 * only. */
enum ekm_rc session_open(struct call *call, const SqlCpCredential *auth,
                         SqlCpSession *handle) EKM_MUST_CHECK;
/* IDENTITY and SECRET, judged before anything is sent. On success vault->credential is the caller's
 * to release, and `odd` is what to say of SECRET if Entra refuses it. */
#define SESSION_ODD_MAX 200
enum ekm_rc session_read_credential(struct call *call, const SqlCpCredential *auth,
                                    struct vault *vault, char odd[SESSION_ODD_MAX]) EKM_MUST_CHECK;

/* Takes over the vault's credential on success. */
enum ekm_rc session_add(const struct vault *vault, SqlCpSession *handle) EKM_MUST_CHECK;
/* NULL for a handle that is not open. The caller gives it back with session_put. */
struct session *session_get(const SqlCpSession *handle);
void session_put(struct session *session); /* NULL allowed */
/* EKM_INVALID_ARGUMENT for a handle that is not open. */
enum ekm_rc session_close(const SqlCpSession *handle, bool abort) EKM_MUST_CHECK;

void session_abort_all(void);
/* Closes every session; none may be in use. */
void session_close_all(void);

#endif
