/*
 * The access tokens Entra has issued: opaque random texts with client, audience, tenant and end.
 *
 * One table under one lock; any thread. Never written to disk: a restart forgets them.
 */
#ifndef VAULTSIM_TOKENS_H
#define VAULTSIM_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

struct token_claims {
    char client_id[37], audience[256], tenant[80];
    int64_t end_ms; /* of clock_ms; 0: expired by the control endpoint */
};

/* The token's text, malloc'd. */
char *tokens_issue(const struct token_claims *claims);
bool tokens_find(const char *text, struct token_claims *claims);
void tokens_expire_all(void);
/* True if a token issued here stands anywhere in the text. */
bool tokens_any_in(const char *text);

#endif
