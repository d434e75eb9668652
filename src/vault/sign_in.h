/*
 * Parses SECRET: the form of sign-in, and the identity that signs in.
 *
 * session.c uses it once, when a session opens. Rules: docs/configuration.md, "Signing in". Pure
 * functions; any thread.
 */
#ifndef AKVEKM_VAULT_SIGN_IN_H
#define AKVEKM_VAULT_SIGN_IN_H

#include "base/call.h"

/* Selects one of the machine's identities. */
enum identity_selector {
    IDENTITY_OF_MACHINE, /* system-assigned, or the only one that is assigned */
    IDENTITY_BY_CLIENT_ID,
    IDENTITY_BY_OBJECT_ID,
    IDENTITY_BY_RESOURCE_ID
};

struct sign_in {
    enum sign_in_form form;
    enum identity_selector selector;
    char client_id[37]; /* the application's, as a GUID; "": none, or from the environment */
    char name[400];     /* the certificate's name, or the ID that the selector needs */
    const char *secret; /* in the form with a secret: points into the parsed text */
    size_t secret_len;
};

/* EKM_SECRET_TOO_SHORT; EKM_BAD_CREDENTIALS: the ID is not hex; EKM_SIGN_IN_MALFORMED;
 * EKM_SIGN_IN_NOT_ALLOWED: the configuration forbids the form. Set in the call. */
enum ekm_rc sign_in_parse(struct call *call, const char *secret, size_t len,
                          struct sign_in *out) EKM_MUST_CHECK;
/* Whether IDENTITY is `Managed Identity` or `ManagedIdentity`, in upper or lower case. *blank: it
 * has the blank, so it cannot be a vault's name. */
bool sign_in_is_managed(const char *identity, bool *blank);
/* Selects the machine's own identity. EKM_SIGN_IN_NOT_ALLOWED: the configuration forbids it. */
enum ekm_rc sign_in_managed(struct call *call, struct sign_in *out) EKM_MUST_CHECK;

/* Whether the text begins with the word of a form, so that it holds no client secret. */
bool sign_in_has_word(const char *secret, size_t len);
/* Compares everything except the secrets. */
bool sign_in_equal(const struct sign_in *a, const struct sign_in *b);
/* Whether tokens of this form come from the tenant that the vault names. If not, a token can be
 * fetched before the vault sends its challenge. */
bool sign_in_needs_tenant(const struct sign_in *who);
/* Describes the sign-in for the log: the form, `detail` if not empty, and the identity. No
 * secret. */
void sign_in_describe(const struct sign_in *who, const char *detail, char *out, size_t cap);

#endif
