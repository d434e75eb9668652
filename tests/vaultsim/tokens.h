/*
 * The access tokens that Entra has issued: opaque random texts with client, audience, tenant and
 * end.
 *
 * One table under one lock; any thread. Never written to disk: a restart forgets them.
 */
#ifndef VAULTSIM_TOKENS_H
#define VAULTSIM_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

/* The beginning of the audience of tokens that may be assertions. */
#define TOKENS_EXCHANGE "api://AzureADTokenExchange"

struct token_claims {
    char client_id[37], audience[256], tenant[80];
    char object_id[37]; /* of a managed identity; "": an application's token */
    bool is_user_assigned;
    bool has_cp1; /* the client can read claims challenges */
    enum { TOKEN_GOOD, TOKEN_REVOKED, TOKEN_CHALLENGED } revoked;
    int64_t end_ms; /* of clock_ms; 0: expired by the control endpoint */
};

/* The token's text, malloc'd. */
char *tokens_issue(const struct token_claims *claims);
bool tokens_find(const char *text, struct token_claims *claims);
/* The youngest living token of the same client, audience and tenant; malloc'd, NULL: none. */
char *tokens_reuse(struct token_claims *claims);
void tokens_expire_all(void);
/* Refuses tokens issued so far by a claims challenge: those of clients that understand one, or all.
 * The others count as expired. */
void tokens_revoke_all(bool even_without_cp1);
/* True if the text contains a token issued here, except those for audiences that begin with `but`.
 */
bool tokens_any_in(const char *text, const char *but);

#endif
