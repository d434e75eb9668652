/*
 * Entra's application registrations, tenants, and the permissions of each application in the
 * vaults.
 *
 * One table under one lock; any thread. A caller that changes something calls state_save()
 * afterwards.
 */
#ifndef VAULTSIM_CLIENTS_H
#define VAULTSIM_CLIENTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum client_check { CLIENT_OK, CLIENT_UNKNOWN, CLIENT_WRONG_SECRET, CLIENT_EXPIRED_SECRET };

/* client_id in any spelling of the GUID. */
enum client_check clients_check(const char *client_id, const char *secret);
/* The whole record of the client, secrets included; the caller deletes it. NULL: unknown. */
cJSON *clients_get(const char *client_id);
/* Whether the application has `permission` (a word of the access policies, e.g. wrapKey) in this
 * vault. *is_rbac says which of the two refusals to send. */
bool clients_may(const char *client_id, const char *host, const char *permission, bool *is_rbac);
/* {"client_id","secrets","permissions","vault","rbac"}: without "vault" the whole client is
 * replaced, with it only what is granted there. And the credentials of credentials.h. NULL: done;
 * else the problem. */
const char *clients_change(const cJSON *json);
bool clients_remove(const char *client_id);
/* True if the text contains any registered secret, plain or percent-encoded. */
bool clients_secret_in(const char *text);

/* Moves the vaults to this tenant. Entra still knows the former tenants. */
void clients_set_tenant(const char *tenant);
void clients_tenant(char *out, size_t cap);
bool clients_knows_tenant(const char *tenant);

/* Without secrets for the control endpoint, with them for the state file. */
cJSON *clients_to_json(bool with_secrets);
void clients_from_json(const cJSON *json);

#endif
