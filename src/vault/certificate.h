/*
 * The certificate with which an application signs in. Signs with its key.
 *
 * The certificate is read each time and kept for one signature only, so that a renewed one counts
 * at once. It comes from `certificate_folder`, or by its thumbprint from the machine's store. Any
 * thread.
 */
#ifndef AKVEKM_VAULT_CERTIFICATE_H
#define AKVEKM_VAULT_CERTIFICATE_H

#include "base/call.h"
#include "platform/machine_store.h"
#include "vault/certificate_file.h"

struct certificate {
    struct certificate_pair pair;        /* from a file; from the store only the leaf */
    struct plat_store_certificate store; /* from the store */
    char thumbprint[41];                 /* SHA-1 in hex, the usual name of a certificate */
    uint8_t sha256[32];
    int64_t expiry_s;
};

/* Opens the certificate of this name. EKM_CERTIFICATE_UNUSABLE, EKM_CERTIFICATE_PAIR,
 * EKM_CERTIFICATE_DATES, EKM_OUT_OF_MEMORY; set in the call. certificate_close must follow in any
 * case. */
enum ekm_rc certificate_open(struct call *call, const char *name,
                             struct certificate *out) EKM_MUST_CHECK;
/* Signs `data` with SHA-256 and RSASSA-PSS (salt of 32 bytes) or RSASSA-PKCS1-v1_5. Appends the
 * signature to `out`. EKM_CERTIFICATE_UNUSABLE: the key does not sign. EKM_OUT_OF_MEMORY. */
enum ekm_rc certificate_sign(struct call *call, const struct certificate *certificate, bool pss,
                             const struct buf *data, struct buf *out) EKM_MUST_CHECK;
/* A number that identifies the certificate; never 0. */
uint64_t certificate_proof(const struct certificate *certificate);
void certificate_close(struct certificate *certificate);

#endif
