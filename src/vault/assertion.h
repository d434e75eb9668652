/*
 * Makes an assertion (RFC 7523): a statement, signed with a certificate's key, by which an
 * application proves its identity to Entra.
 *
 * Facts: identity-wire.md section 8. Owns nothing; any thread.
 */
#ifndef AKVEKM_VAULT_ASSERTION_H
#define AKVEKM_VAULT_ASSERTION_H

#include "vault/certificate.h"

#define ASSERTION_MAX    8192
#define ASSERTION_LIFE_S 600

/* Writes an assertion for `audience`, valid for ten minutes from now. It is signed with PS256, or
 * with RS256 if the key cannot do that. Errors are set in the call. */
enum ekm_rc assertion_write(struct call *call, const struct certificate *certificate,
                            const char *client_id, const char *audience,
                            struct buf *out) EKM_MUST_CHECK;

#endif
