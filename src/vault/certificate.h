/*
 * The certificate by which an application signs in, and signing with its key.
 *
 * It is read each time, so that a renewed file or store entry counts at once, and is kept for one
 * signature only. It comes from `certificate_folder`, or by its thumbprint from the machine's own
 * store. Any thread.
 */
#ifndef AKVEKM_VAULT_CERTIFICATE_H
#define AKVEKM_VAULT_CERTIFICATE_H

#include "base/call.h"
#include "platform/machine_store.h"
#include "vault/certificate_file.h"

struct certificate {
    struct certificate_pair pair; /* of a file; or */
    struct plat_store_certificate store;
    char thumbprint[41]; /* SHA-1 in hex, as everybody names certificates */
    uint8_t sha256[32];
    int64_t expiry_s;
};

/* EKM_CERTIFICATE_UNUSABLE, _PAIR, _DATES, EKM_OUT_OF_MEMORY; set in the call. certificate_close
 * must follow in any case. */
enum ekm_rc certificate_open(struct call *call, const char *name,
                             struct certificate *out) EKM_MUST_CHECK;
/* RSASSA-PSS (salt 32) or RSASSA-PKCS1-v1_5 with SHA-256 over `data`; appended. */
enum ekm_rc certificate_sign(struct call *call, const struct certificate *certificate, bool pss,
                             const struct buf *data, struct buf *out) EKM_MUST_CHECK;
/* Distinguishes it from another certificate; never 0. */
uint64_t certificate_proof(const struct certificate *certificate);
void certificate_close(struct certificate *certificate);

#endif
