/*
 * Operations on keys other than cryptography: get, lists, create, import, update, delete.
 *
 * Any thread.
 */
#ifndef VAULTSIM_KEYADMIN_H
#define VAULTSIM_KEYADMIN_H

#include "answer.h"
#include "keystore.h"
#include "service.h"

void keyadmin_serve(const struct service_call *call, struct answer *answer);

/* Sets kty and pkey of a new key; bits 0 = 2048, exponent 0 = 65537. NULL: done; else what is
 * wrong. */
const char *keyadmin_generate(const char *kty, int bits, int exponent, struct key_view *view);
/* Creation time and the attributes a new key has. */
void keyadmin_prepare(const char *host, const char *name, struct key_view *view);

#endif
