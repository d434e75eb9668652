/*
 * The Key Vault data plane: the response of a vault or Managed HSM to one request.
 *
 * Any thread. service_serve checks token, api-version, firewall, permission, body and limits in
 * that order, then calls keyops (cryptography) or keyadmin (everything else).
 */
#ifndef VAULTSIM_SERVICE_H
#define VAULTSIM_SERVICE_H

#include <cjson/cJSON.h>

#include "answer.h"
#include "keystore.h"
#include "request.h"

/* The input of a handler. */
struct service_call {
    const struct request *request;
    const cJSON *body; /* NULL: the operation takes none */
    const char *api_version;
};

void service_serve(const struct request *request, struct answer *answer);

/* For the handlers: the refusal for a store code, the key of the request, and the limits of the
 * service (false: refused). */
void service_refuse(const struct service_call *call, enum store_rc rc, struct answer *answer);
bool service_find(const struct service_call *call, struct key_view *view, struct answer *answer);
bool service_admits(const struct service_call *call, const struct key_view *view,
                    struct answer *answer);

#endif
