/*
 * Reads certificates in PEM form, one after the other in a file. Each one that can be read is used.
 * The log names the line of each other one.
 *
 * Owns nothing. trust_store.c and http_detour.c call it, from any thread.
 */
#ifndef AKVEKM_NET_TRUST_BUNDLE_H
#define AKVEKM_NET_TRUST_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

#include "base/err.h"

/* Adds the certificates in `text` to the store; `text` is terminated by a zero byte. *count is the
 * number of certificates that were read, including expired ones, which are left out. `name` is the
 * file's name for the log. With `say` the log says what is left out. EKM_OUT_OF_MEMORY is the only
 * error. Leaves OpenSSL's error queue empty. */
enum ekm_rc trust_bundle_add(X509_STORE *store, const char *text, const char *name, bool say,
                             size_t *count) EKM_MUST_CHECK;

#endif
