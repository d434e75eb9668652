/*
 * Discovery documents, which public clients read from Entra before they ask for a token.
 *
 * Any thread; keeps nothing.
 */
#ifndef VAULTSIM_ENTRA_DOCUMENTS_H
#define VAULTSIM_ENTRA_DOCUMENTS_H

#include <stdbool.h>

#include "answer.h"
#include "request.h"

bool entra_documents_has(const struct request *request);
void entra_documents_serve(const struct request *request, struct answer *answer);

#endif
