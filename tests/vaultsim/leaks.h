/*
 * The leak watch: finds secrets, assertions and tokens where they must not be.
 *
 * Any thread. The last few thousand watched texts are remembered, under one lock.
 */
#ifndef VAULTSIM_LEAKS_H
#define VAULTSIM_LEAKS_H

#include <stdbool.h>

#include "request.h"

enum leak_kind {
    LEAK_ASSERTION,  /* belongs into the body of a token request */
    LEAK_APP_HEADER, /* App Service's IDENTITY_HEADER: into its own request header */
    LEAK_ARC_KEY,    /* the content of a key file of Arc: into Authorization there */
};

void leaks_watch(enum leak_kind kind, const char *text);
/* True if a known secret, assertion or issued token is where it must not be. */
bool leaks_in(const struct request *request);

#endif
