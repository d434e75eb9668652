/*
 * The managed identities of the machine: at most one system-assigned, any number of user-assigned.
 *
 * One table under one lock; any thread. The permissions of an identity in the vaults are kept with
 * the applications (clients.h), under its client ID. A caller that changes something calls
 * state_save().
 */
#ifndef VAULTSIM_IDENTITIES_H
#define VAULTSIM_IDENTITIES_H

#include <cjson/cJSON.h>
#include <stdbool.h>

struct identity {
    char client_id[37], object_id[37], resource_id[256]; /* resource_id "": system-assigned */
};

/* The selectors of a request; NULL: absent. */
struct identity_selector {
    const char *client_id, *object_id, *resource_id;
};

enum identity_rc { IDENTITY_OK, IDENTITY_UNKNOWN, IDENTITY_AMBIGUOUS, IDENTITY_SEVERAL_SELECTORS };

/* Without a selector: the system-assigned one, or the only user-assigned one if there is none. */
enum identity_rc identities_select(const struct identity_selector *selector, struct identity *out);
/* {"client_id","object_id","resource_id","permissions","vault","rbac"}; resource_id "" or absent:
 * the system-assigned one, which replaces the former. NULL: done; else the problem. */
const char *identities_change(const cJSON *json);
bool identities_remove(const char *client_id);
cJSON *identities_to_json(void);
/* NULL: creates the two identities of a first start. */
void identities_from_json(const cJSON *json);

#endif
