#include "net/http_detour.h"

#include "net/trust_bundle.h"

bool http_detour_trust(const struct http_detour *detour, SSL_CTX *context)
{
    size_t count = 0;
    X509_STORE *store = X509_STORE_new();
    bool right = store != NULL &&
                 trust_bundle_add(store, detour->authorities, "AZURE_KUBERNETES_CA", false,
                                  &count) == EKM_OK &&
                 count > 0;
    if (right) {
        SSL_CTX_set1_cert_store(context, store);
    }
    X509_STORE_free(store);
    return right;
}
