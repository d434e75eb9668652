/*
 * Reads the arguments of SQL Server and writes its buffers: text, thumbprints, and outputs by the
 * two-call dance.
 *
 * Nothing is read before its size is checked; every pointer may be NULL. Pure functions; any
 * thread. Rules: ekm-abi.md section 3.
 */
#ifndef AKVEKM_PROVIDER_MARSHAL_H
#define AKVEKM_PROVIDER_MARSHAL_H

#include "akvekm/sqlcrypt.h"
#include "base/call.h"

/* A text argument of SQL Server. */
struct marshal_argument {
    const char *name; /* in messages */
    uint32_t max_bytes;
    enum ekm_rc too_long, broken; /* the errors above max_bytes, and for broken UTF-16 */
};
extern const struct marshal_argument marshal_key_name;

/* UTF-16 to UTF-8, appended; NULL with 0 bytes is empty. EKM_INVALID_ARGUMENT for another NULL or
 * an odd size. */
enum ekm_rc marshal_text(struct call *call, const struct marshal_argument *argument,
                         const SqlCpStr *text, struct buf *out) EKM_MUST_CHECK;

/* 1 to 32 bytes, else EKM_INVALID_ARGUMENT. Copies it into the call record, for the log. */
enum ekm_rc marshal_thumbprint(struct call *call, const SqlCpKeyThumbprint *thumbprint,
                               struct thumbprint *out) EKM_MUST_CHECK;

/* Whether SQL Server gave no room for `len` bytes. */
bool marshal_is_short(const void *pointer, uint32_t room_bytes, size_t len);
/* Copies and sets cb. If there is no room, sets only cb: EKM_INSUFFICIENT_BUFFER. */
enum ekm_rc marshal_put(SqlCpData *out, const void *bytes, size_t len) EKM_MUST_CHECK;
/* Writes name and thumbprint, with both sizes in one answer. The rest of *out is written only on
 * success; its padding is zero. */
enum ekm_rc marshal_put_key(SqlCpKeyInfo *out, const char *name,
                            const struct thumbprint *thumbprint,
                            SqlCpAlgId algorithm) EKM_MUST_CHECK;

#endif
