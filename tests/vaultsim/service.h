/*
 * The Key Vault data plane: what a vault or Managed HSM answers to one request.
 *
 * Any thread. service_serve checks token, api-version, firewall, permission, body and limits in
 * that order, then hands over to keyops (cryptography) or keyadmin (the rest).
 */
#ifndef VAULTSIM_SERVICE_H
#define VAULTSIM_SERVICE_H

#include <cjson/cJSON.h>

#include "answer.h"
#include "keystore.h"
#include "request.h"

/* What a handler needs to know. */
struct service_call {
    const struct request *request;
    const cJSON *body; /* NULL: the operation takes none */
    const char *api_version;
};

void service_serve(const struct request *request, struct answer *answer);

/* For the handlers: the refusal for a store code, the key that is asked for, and the service's
 * limits (false: refused). */
void service_refuse(const struct service_call *call, enum store_rc rc, struct answer *answer);
bool service_find(const struct service_call *call, struct key_view *view, struct answer *answer);
bool service_admits(const struct service_call *call, const struct key_view *view,
                    struct answer *answer);

#endif
