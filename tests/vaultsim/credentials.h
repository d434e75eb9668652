/*
 * What an application may sign in with besides secrets, as the control endpoint takes it.
 *
 * Pure functions; any thread.
 */
#ifndef VAULTSIM_CREDENTIALS_H
#define VAULTSIM_CREDENTIALS_H

#include <cjson/cJSON.h>

/* Reads "certificates" (PEM texts, or paths of files with one), "federated" ({"issuer","subject",
 * "audience"}, each with a default), "expired_secrets", "disabled" and "public". *out: an object
 * of those present, in the form they are kept in; the caller deletes it. NULL: fine; else what is
 * wrong, and *out is NULL. */
const char *credentials_take(const cJSON *json, cJSON **out);

#endif
