/*
 * The challenge in a vault's 401, which names the issuer of its tokens. Parses it, checks it
 * against the allow-lists, and remembers it for each vault.
 *
 * Rules: specification.md section 2 (authority and resource), key-vault-wire.md section 4. Owns the
 * table from vault host to challenge and hint; any thread.
 */
#ifndef AKVEKM_VAULT_CHALLENGE_H
#define AKVEKM_VAULT_CHALLENGE_H

#include "base/call.h"
#include "vault/address.h"

#define CHALLENGE_TENANT_MAX 64

struct challenge {
    char authority[TEXT_HOST_CAP]; /* host of the login service */
    char tenant[CHALLENGE_TENANT_MAX + 1];
    char resource[TEXT_HOST_CAP]; /* host, equal to the vault's resource */
};

/* Reads all challenges in one WWW-Authenticate value. EKM_CHALLENGE_MALFORMED,
 * EKM_CHALLENGE_NO_RESOURCE, or EKM_CHALLENGE_FOREIGN if the authority or the resource lies outside
 * Azure; set in the call. */
enum ekm_rc challenge_parse(struct call *call, const struct vault_address *vault,
                            const char *authenticate, struct challenge *out) EKM_MUST_CHECK;

bool challenge_is_tenant(const char *tenant);
/* Gets the vault's last challenge. If there is none, it combines the remembered tenant with the
 * authority of the vault's cloud, and sets *guessed. False: the vault must be asked. */
bool challenge_recall(const struct vault_address *vault, struct challenge *out, bool *guessed);
void challenge_remember(const char *vault_host, const struct challenge *challenge);
/* A credential was refused at the challenge's authority. The vault may have moved to another
 * tenant, so a challenge older than a minute is forgotten. */
void challenge_doubt(const char *vault_host);
void challenge_forget_all(void);

/* Stores the tenant that this vault named before the process started. It is only a hint.
 * EKM_REQUEST_REFUSED: it is not the name of a tenant. */
enum ekm_rc challenge_suggest(const char *vault_host, const char *tenant) EKM_MUST_CHECK;
/* True: the vault has named this tenant, and the last hint was another one. Only one caller gets
 * true. */
bool challenge_is_news(const char *vault_host, char tenant[CHALLENGE_TENANT_MAX + 1]);

#endif
