/*
 * wrapkey, unwrapkey, encrypt, decrypt, sign, verify.
 *
 * Any thread; the RSA work runs on a copy of the key, outside every lock.
 */
#ifndef VAULTSIM_KEYOPS_H
#define VAULTSIM_KEYOPS_H

#include "answer.h"
#include "service.h"

void keyops_serve(const struct service_call *call, struct answer *answer);

#endif
