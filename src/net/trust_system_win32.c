/* The ROOT store of the account that runs SQL Server, including the machine's roots. */
#include <windows.h>

#include <wincrypt.h>

#include <stdlib.h>
#include <string.h>

#include "net/trust_index.h"
#include "net/trust_system.h"

static bool names_servers(const CERT_ENHKEY_USAGE *usage)
{
    for (DWORD i = 0; i < usage->cUsageIdentifier; i++) {
        if (strcmp(usage->rgpszUsageIdentifier[i], szOID_PKIX_KP_SERVER_AUTH) == 0) {
            return true;
        }
    }
    return false;
}

/* A root may be trusted for signed mail or code only. CRYPT_E_NOT_FOUND means: for everything. */
static bool is_for_servers(const CERT_CONTEXT *certificate)
{
    DWORD bytes = 0;
    if (!CertGetEnhancedKeyUsage(certificate, 0, NULL, &bytes)) {
        return GetLastError() == (DWORD)CRYPT_E_NOT_FOUND;
    }
    CERT_ENHKEY_USAGE *usage = malloc(bytes);
    bool right = usage != NULL && CertGetEnhancedKeyUsage(certificate, 0, usage, &bytes);
    if (right && usage->cUsageIdentifier == 0) {
        right = GetLastError() == (DWORD)CRYPT_E_NOT_FOUND;
    } else if (right) {
        right = names_servers(usage);
    }
    free(usage);
    return right;
}

static bool is_disallowed(HCERTSTORE disallowed, const CERT_CONTEXT *certificate)
{
    const CERT_CONTEXT *found =
        disallowed != NULL ? CertFindCertificateInStore(disallowed, X509_ASN_ENCODING, 0,
                                                        CERT_FIND_EXISTING, certificate, NULL)
                           : NULL;
    bool is = found != NULL;
    (void)CertFreeCertificateContext(found);
    return is;
}

#define ROOTS_MAX ((size_t)16 * 1024 * 1024)

bool trust_system_load(X509_STORE *store)
{
    HCERTSTORE roots = CertOpenSystemStoreW(0, L"ROOT");
    HCERTSTORE disallowed = CertOpenSystemStoreW(0, L"Disallowed");
    const CERT_CONTEXT *certificate = NULL;
    struct trust_index *index = trust_index_new(ROOTS_MAX);
    /* Each step frees the certificate before it. */
    while (roots != NULL && index != NULL &&
           (certificate = CertEnumCertificatesInStore(roots, certificate)) != NULL) {
        if (is_for_servers(certificate) && !is_disallowed(disallowed, certificate)) {
            (void)trust_index_add(index, certificate->pbCertEncoded, certificate->cbCertEncoded);
        }
    }
    if (roots != NULL) {
        (void)CertCloseStore(roots, 0);
    }
    if (disallowed != NULL) {
        (void)CertCloseStore(disallowed, 0);
    }
    return trust_index_attach(index, store);
}
