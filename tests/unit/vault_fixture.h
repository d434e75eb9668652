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

#define HOST "contoso.vault.azure.net"
#define CHALLENGE_OF(authority)                                                                    \
    "Bearer authorization=\"https://" authority "\", resource=\"https://vault.azure.net\""
#define CHALLENGE(tenant) CHALLENGE_OF("login.microsoftonline.com/" tenant)
#define TOKEN(value)                                                                               \
    "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"" value "\"}"

extern struct config config;
extern struct call call;
extern struct vault vault;

/* For cmocka. */
int vault_set_up(void **state);
int vault_tear_down(void **state);

/* The next answers; strings must outlive them. */
void script(long status, const char *body);
void script_401(const char *authenticate);

#endif
