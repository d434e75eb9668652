/*
 * One vault whose answers are scripted: a configuration, a call and a session's vault, for programs
 * that wrap http_perform, http_perform_all and the clock (scripted_http.h, fake_clock.h).
 *
 * One thread. After set-up nothing is known of the vault: no challenge, no token.
 */
#ifndef AKVEKM_UNIT_VAULT_FIXTURE_H
#define AKVEKM_UNIT_VAULT_FIXTURE_H

#include "fake_clock.h"
#include "scripted_http.h"
#include "vault/vault.h"

#define HOST    "contoso.vault.azure.net"
#define VERSION "0123456789abcdef0123456789abcdef"
#define KID     "https://" HOST "/keys/name/" VERSION
#define CHALLENGE_OF(authority)                                                                    \
    "Bearer authorization=\"https://" authority "\", resource=\"https://vault.azure.net\""
#define CHALLENGE(tenant) CHALLENGE_OF("login.microsoftonline.com/" tenant)
#define TOKEN(value)                                                                               \
    "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"" value "\"}"

/* Bodies of errors. */
#define INNER(code)      "{\"error\":{\"code\":\"Forbidden\",\"innererror\":{\"code\":\"" code "\"}}}"
#define ERROR_BODY(code) "{\"error\":{\"code\":\"" code "\"}}"
#define CONFLICT(in)     "{\"error\":{\"code\":\"Conflict\",\"innererror\":{\"code\":\"" in "\"}}}"

extern struct config config;
extern struct call call;
extern struct vault vault;

/* For cmocka. */
int vault_set_up(void **state);
int vault_tear_down(void **state);

/* The next answers; strings must outlive them. */
void script(long status, const char *body);
void script_401(const char *authenticate);

/* Challenge and token are in the caches, the counts at zero. */
void vault_warm_up(void);
/* The vault's answer about this key; good until the next one is made. */
const char *vault_key_body(const char *kid);
void expect_key(const struct key_id *key, enum ekm_rc rc);

#endif
