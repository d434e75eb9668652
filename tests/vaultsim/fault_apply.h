/*
 * Changes a response as a fault says.
 *
 * Any thread; keeps nothing. A status fault without a body has the words of the service that it
 * hits: Key Vault, Entra, IMDS, Arc, App Service.
 */
#ifndef VAULTSIM_FAULT_APPLY_H
#define VAULTSIM_FAULT_APPLY_H

#include "answer.h"
#include "faults.h"
#include "request.h"

/* Replaces the whole answer (status, garbage, oversized, no_challenge, body); false: not one of
 * those. */
bool fault_replace(const struct fault_plan *plan, const struct request *request,
                   struct answer *answer);
/* Changes a normal JSON answer (wrong_kid, edit, truncate, nest, splice, long_token). */
void fault_alter(const struct fault_plan *plan, struct answer *answer);

#endif
