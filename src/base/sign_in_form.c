#include "base/sign_in_form.h"

#include <string.h>

static const char *const form_names[SIGN_IN_FORM_COUNT] = {
    [SIGN_IN_SECRET] = "secret",
    [SIGN_IN_CERTIFICATE] = "certificate",
    [SIGN_IN_MANAGED_IDENTITY] = "managed-identity",
    [SIGN_IN_WORKLOAD_IDENTITY] = "workload-identity",
    [SIGN_IN_FEDERATED_IDENTITY] = "federated-identity",
};

static const char *const source_names[IDENTITY_SOURCE_COUNT] = {
    [IDENTITY_SOURCE_AUTO] = "auto",
    [IDENTITY_SOURCE_IMDS] = "imds",
    [IDENTITY_SOURCE_ARC] = "arc",
    [IDENTITY_SOURCE_APP_SERVICE] = "app-service",
};

const char *sign_in_form_name(enum sign_in_form form)
{
    return form_names[form];
}

bool sign_in_form_find(const char *name, size_t len, enum sign_in_form *out)
{
    for (int i = 0; i < SIGN_IN_FORM_COUNT; i++) {
        if (strlen(form_names[i]) == len && memcmp(form_names[i], name, len) == 0) {
            *out = (enum sign_in_form)i;
            return true;
        }
    }
    return false;
}

const char *identity_source_name(enum identity_source source)
{
    return source_names[source];
}

bool identity_source_find(const char *name, enum identity_source *out)
{
    for (int i = 0; i < IDENTITY_SOURCE_COUNT; i++) {
        if (strcmp(source_names[i], name) == 0) {
            *out = (enum identity_source)i;
            return true;
        }
    }
    return false;
}
