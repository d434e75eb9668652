/*
 * Reads a certificate and its private key from the content of a PEM or PFX file.
 *
 * Pure functions; any thread. The caller frees the pair. *why says briefly what is wrong with the
 * file, "" if nothing is.
 */
#ifndef AKVEKM_VAULT_CERTIFICATE_FILE_H
#define AKVEKM_VAULT_CERTIFICATE_FILE_H

#include <openssl/x509.h>

#include "base/buf.h"

struct certificate_pair {
    EVP_PKEY *key;
    X509 *leaf; /* the certificate whose public key is the key's */
};

/* EKM_CERTIFICATE_UNUSABLE; EKM_CERTIFICATE_PAIR if no certificate belongs to the key;
 * EKM_OUT_OF_MEMORY. The pair is empty then. */
enum ekm_rc certificate_file_read_pem(const struct buf *content, struct certificate_pair *out,
                                      const char **why) EKM_MUST_CHECK;
/* `password` may be "". */
enum ekm_rc certificate_file_read_pfx(const struct buf *content, const char *password,
                                      struct certificate_pair *out,
                                      const char **why) EKM_MUST_CHECK;
void certificate_pair_free(struct certificate_pair *pair);

#endif
