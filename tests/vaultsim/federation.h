/*
 * Federated credentials: assertions of an OIDC issuer, or tokens of managed identities.
 *
 * Any thread; keeps nothing.
 */
#ifndef VAULTSIM_FEDERATION_H
#define VAULTSIM_FEDERATION_H

#include <stdbool.h>

#include "assertion.h"

/* Whether Entra itself issued the text as an access token. */
bool federation_is_entra_token(const char *text);
bool federation_check_token(const struct assertion *assertion, struct answer *answer);
bool federation_check(const struct assertion *assertion, const struct jwt *jwt,
                      struct answer *answer);

#endif
