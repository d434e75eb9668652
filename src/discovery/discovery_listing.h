/*
 * The way to a key that leads through all that the vault lists.
 *
 * Owns nothing: what was seen stays in inventory.h. Called by the thread whose turn it is.
 */
#ifndef AKVEKM_DISCOVERY_DISCOVERY_LISTING_H
#define AKVEKM_DISCOVERY_DISCOVERY_LISTING_H

#include "discovery/discovery_search.h"

/* Looks through all that the vault lists, newest first, from where the search before stopped.
 * EKM_OK: search->found gives the thumbprint. EKM_NOT_FOUND: there is none, or list_refused. */
enum ekm_rc discovery_by_listing(struct search *search) EKM_MUST_CHECK;

#endif
