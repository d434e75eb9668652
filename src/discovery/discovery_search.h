/*
 * One search for a thumbprint: its state, and the meaning of the vault's responses for it.
 *
 * Belongs to the thread whose turn it is (discovery.c).
 */
#ifndef AKVEKM_DISCOVERY_DISCOVERY_SEARCH_H
#define AKVEKM_DISCOVERY_DISCOVERY_SEARCH_H

#include "vault/vault.h"

struct discovery_trial;

struct search {
    struct call *call;
    const struct vault *vault;
    const struct thumbprint *thumbprint;
    const struct key_id *missing;
    const struct discovery_trial *trial;
    bool list_refused; /* the vault refused to list its keys */
    bool list_odd;     /* the list was malformed; the keys before that point were examined */
    bool refused;      /* the vault refused to show a candidate */
    bool undecided;    /* another wrapped key may still prove a candidate */
    bool odd;          /* a response was malformed; a later one may not be */
    struct vault_key found;
};

/* The credential whose permissions the search has; "" if there is none. */
const char *discovery_search_client(const struct vault *vault);
/* EKM_NOT_FOUND for a failure that concerns only this candidate, so that the search goes on. Other
 * failures are returned unchanged. */
enum ekm_rc discovery_search_judge(struct search *search, enum ekm_rc rc);

#endif
