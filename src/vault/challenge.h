/*
 * The vault's 401: where its tokens come from. Parsed, checked against the allow-lists, remembered
 * per vault.
 *
 * Rules: behaviour.md section 2 (authority and resource), key-vault-wire.md section 4. Owns the
 * table vault host -> challenge; any thread.
 */
#ifndef AKVEKM_VAULT_CHALLENGE_H
#define AKVEKM_VAULT_CHALLENGE_H

#include "base/call.h"
#include "vault/address.h"

struct challenge {
    char authority[254]; /* host of the login service */
    char tenant[65];
    char resource[254]; /* host, equal to the vault's resource */
};

/* Reads all challenges in one WWW-Authenticate value. EKM_CHALLENGE_MALFORMED,
 * EKM_CHALLENGE_NO_RESOURCE, or EKM_CHALLENGE_FOREIGN if the authority or the resource lies outside
 * Azure; set in the call. */
enum ekm_rc challenge_parse(struct call *call, const struct vault_address *vault,
                            const char *authenticate, struct challenge *out) EKM_MUST_CHECK;

bool challenge_recall(const char *vault_host, struct challenge *out);
void challenge_remember(const char *vault_host, const struct challenge *challenge);
/* A credential was refused at the place it names: the vault may have moved to another tenant, so a
 * challenge older than a minute is forgotten. */
void challenge_doubt(const char *vault_host);
void challenge_forget_all(void);

#endif
