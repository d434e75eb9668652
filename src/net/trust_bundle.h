/*
 * Certificates in PEM form, one after the other in a file. Each one that can be read counts; the
 * others are named by their line.
 *
 * Owns nothing. trust_store.c and the systems' trust sources call it; any thread.
 */
#ifndef AKVEKM_NET_TRUST_BUNDLE_H
#define AKVEKM_NET_TRUST_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

#include "base/err.h"

/* Adds to the store what stands in `text`, which is terminated; *count is how many certificates
 * that were, with those that have expired and are left out. `name` is the file's, for the log;
 * `say`: write what is left out into the log. EKM_OUT_OF_MEMORY alone. Leaves OpenSSL's queue
 * empty. */
enum ekm_rc trust_bundle_add(X509_STORE *store, const char *text, const char *name, bool say,
                             size_t *count) EKM_MUST_CHECK;

#endif
