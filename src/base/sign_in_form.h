/*
 * The forms of sign-in, the sources of managed identities, and the settings for both.
 *
 * The names are those of SECRET and of the configuration file. Immutable; any layer and thread.
 */
#ifndef AKVEKM_BASE_SIGN_IN_FORM_H
#define AKVEKM_BASE_SIGN_IN_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum sign_in_form {
    SIGN_IN_SECRET,
    SIGN_IN_CERTIFICATE,
    SIGN_IN_MANAGED_IDENTITY,
    SIGN_IN_WORKLOAD_IDENTITY,
    SIGN_IN_FEDERATED_IDENTITY,
    SIGN_IN_FORM_COUNT
};
#define SIGN_IN_ALL ((1u << SIGN_IN_FORM_COUNT) - 1)

enum identity_source {
    IDENTITY_SOURCE_AUTO, /* the environment of the process decides */
    IDENTITY_SOURCE_IMDS,
    IDENTITY_SOURCE_ARC,
    IDENTITY_SOURCE_APP_SERVICE,
    IDENTITY_SOURCE_COUNT
};

struct sign_in_settings {
    unsigned forms; /* one bit for each form that credentials may use */
    enum identity_source source;
    bool aks_token_proxy;
    char certificate_folder[1024];
    char token_file[1024], client_id[37], tenant[65]; /* "": from the environment of the process */
};

const char *sign_in_form_name(enum sign_in_form form);
/* False: no form has this name. Case counts. */
bool sign_in_form_find(const char *name, size_t len, enum sign_in_form *out);
const char *identity_source_name(enum identity_source source);
bool identity_source_find(const char *name, enum identity_source *out);

#endif
