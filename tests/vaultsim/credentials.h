/*
 * Credentials of an application besides secrets, as the control endpoint accepts them.
 *
 * Pure functions; any thread.
 */
#ifndef VAULTSIM_CREDENTIALS_H
#define VAULTSIM_CREDENTIALS_H

#include <cjson/cJSON.h>

/* Reads "certificates" (PEM texts, or paths of files with one), "federated" ({"issuer","subject",
 * "audience"}, each with a default), "expired_secrets", "disabled" and "public". *out: an object
 * with those that are present, in the form in which they are kept; the caller deletes it. NULL:
 * success; else the problem, and *out is NULL. */
const char *credentials_take(const cJSON *json, cJSON **out);

#endif
