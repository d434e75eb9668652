/*
 * A small OIDC issuer, as a Kubernetes cluster has one: documents, signing key, tokens.
 *
 * The key is in the state folder (oidc.key) and made when it is first needed. Any thread.
 */
#ifndef VAULTSIM_OIDC_H
#define VAULTSIM_OIDC_H

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "answer.h"
#include "jwt.h"
#include "request.h"

#define OIDC_HOST     "oidc.vaultsim.test"
#define OIDC_ISSUER   "https://" OIDC_HOST "/"
#define OIDC_SUBJECT  "system:serviceaccount:default:sql"
#define OIDC_AUDIENCE "api://AzureADTokenExchange"

bool oidc_is_host(const char *host);
void oidc_serve(const struct request *request, struct answer *answer);
/* {"subject","audience","issuer","lifetime_s","nbf_s","key":"other","alg","file"}: writes a token
 * into a file. NULL: done, *path is malloc'd; else the problem. */
const char *oidc_mint(const cJSON *json, char **path);
/* Whether the token names a key of the issuer, and whether that key signed it. */
bool oidc_knows_key(const struct jwt *jwt);
bool oidc_verify(const struct jwt *jwt);

#endif
