/*
 * Parses SECRET: the form of sign-in, and the identity that signs in.
 *
 * Called once, when a session opens. Rules: docs/configuration.md, "Signing in". Pure functions;
 * any thread.
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
    char
        client_id[37]; /* of the application, in GUID form; "": none, or the environment names it */
    char name[400];    /* of the certificate; what the selector selects by */
    const char *secret; /* of the form with a secret: within the text that was parsed */
    size_t secret_len;
};

/* EKM_SECRET_TOO_SHORT, EKM_BAD_CREDENTIALS for an ID that is not hex, EKM_SIGN_IN_MALFORMED,
 * EKM_SIGN_IN_NOT_ALLOWED by the configuration; set in the call. */
enum ekm_rc sign_in_parse(struct call *call, const char *secret, size_t len,
                          struct sign_in *out) EKM_MUST_CHECK;
/* Whether IDENTITY is `Managed Identity`, in any case, with a blank or without. *blank: with one,
 * so that it is no vault's name either. */
bool sign_in_is_managed(const char *identity, bool *blank);
/* The machine's own identity, if the configuration allows it. */
enum ekm_rc sign_in_managed(struct call *call, struct sign_in *out) EKM_MUST_CHECK;

/* Whether the text begins with the word of a form, so that it holds no client secret. */
bool sign_in_has_word(const char *secret, size_t len);
/* Compares everything except the secrets. */
bool sign_in_equal(const struct sign_in *a, const struct sign_in *b);
/* Whether tokens of this form come from the tenant that the vault names. If not, the vault need not
 * be asked first. */
bool sign_in_needs_tenant(const struct sign_in *who);
/* For the log: the form, `detail` if not empty, and the identity. No secret. */
void sign_in_describe(const struct sign_in *who, const char *detail, char *out, size_t cap);

#endif
