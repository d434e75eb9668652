/*
 * Finds a key in everything that the vault lists.
 *
 * Owns nothing: inventory.h keeps what was seen. Only the thread whose turn it is calls it.
 */
#ifndef AKVEKM_DISCOVERY_DISCOVERY_LISTING_H
#define AKVEKM_DISCOVERY_DISCOVERY_LISTING_H

#include "discovery/discovery_search.h"

/* Examines everything that the vault lists, newest first, from where the last search stopped.
 * EKM_OK: search->found gives the thumbprint. EKM_NOT_FOUND: no key does, or list_refused. */
enum ekm_rc discovery_by_listing(struct search *search) EKM_MUST_CHECK;

#endif
