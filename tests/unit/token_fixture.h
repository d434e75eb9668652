/*
 * One credential and an Entra whose answers are scripted, for programs that wrap http_perform,
 * http_perform_all and the clock (scripted_http.h, fake_clock.h).
 *
 * After set-up the credential is open and has no token. The call is one thread's.
 */
#ifndef AKVEKM_UNIT_TOKEN_FIXTURE_H
#define AKVEKM_UNIT_TOKEN_FIXTURE_H

#include "vault/credential_slots.h"
#include "vault/token.h"

#define HEX_ID  "11111111222243338444555555555555"
#define GUID_ID "11111111-2222-4333-8444-555555555555"
#define SECRET  HEX_ID "Canary~Secret+0/&="

extern struct config config;
extern struct call call;
extern struct credential *credential;
extern const struct challenge public_cloud;

/* For cmocka. */
int token_set_up(void **state);
int token_tear_down(void **state);

void token_fixture_begin(struct call *which);
struct credential *token_fixture_open(const char *secret);

/* The next answers of Entra. */
void script_token(const char *value, const char *expires_in);
void script_refusal(long status, const char *error, const char *number);

/* Without the name of the header. */
const char *token_value_of(const struct token *token);
/* Asks in a fresh call, expects this token after so many requests. */
void expect_token(const char *value, unsigned requests);
void expect_token_failure(enum ekm_rc rc);

#endif
