/*
 * One search for a thumbprint: what is known of it so far, and what an answer of the vault means
 * for it.
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
    bool list_refused; /* the vault denied the list of its keys */
    bool list_odd;     /* it led nowhere; what it gave so far was looked at */
    bool refused;      /* the vault denied a look at a candidate */
    bool undecided;    /* another wrapped key may yet prove a candidate */
    bool odd;          /* an answer made no sense: a moment later it may */
    struct vault_key found;
};

/* Whose permissions the search has; "" where there is no credential. */
const char *discovery_search_client(const struct vault *vault);
/* EKM_NOT_FOUND for what concerns this candidate alone: the next may do. What keeps the vault from
 * answering at all stays as it is. */
enum ekm_rc discovery_search_judge(struct search *search, enum ekm_rc rc);

#endif
