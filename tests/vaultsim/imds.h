/*
 * The Instance Metadata Service of a virtual machine: tokens of its managed identities.
 *
 * Any thread; keeps nothing.
 */
#ifndef VAULTSIM_IMDS_H
#define VAULTSIM_IMDS_H

#include "answer.h"
#include "request.h"

#define MACHINE_TOKEN_PATH "/metadata/identity/oauth2/token"

void imds_serve(const struct request *request, struct answer *answer);
/* {"error","error_description"} */
void imds_refuse(struct answer *answer, unsigned status, const char *error, const char *text);
/* Checks for the header that every request needs, and for signs of a proxy. False: refused. */
bool imds_check_request(const struct request *request, struct answer *answer);

#endif
