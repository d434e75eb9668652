#include "platform/machine_store.h"

#include <windows.h>

#include <bcrypt.h>
#include <ncrypt.h>
#include <wincrypt.h>

#define ENCODING (X509_ASN_ENCODING | PKCS_7_ASN_ENCODING)

bool plat_store_exists(void)
{
    return true;
}

/* An old CryptoAPI key works by its CNG name too, because Windows translates the handle. */
static NCRYPT_KEY_HANDLE machine_store_translate(HCRYPTPROV provider, DWORD spec)
{
    NCRYPT_PROV_HANDLE storage = 0;
    NCRYPT_KEY_HANDLE key = 0;
    if (NCryptTranslateHandle(&storage, &key, provider, 0, spec, 0) != ERROR_SUCCESS) {
        return 0;
    }
    if (storage != 0) {
        (void)NCryptFreeObject(storage);
    }
    return key;
}

/* Never prompts, because nobody sits in front of a service. */
static enum plat_store machine_store_take_key(struct plat_store_certificate *out, uint32_t *error)
{
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle = 0;
    DWORD spec = 0;
    BOOL owns = FALSE;
    if (!CryptAcquireCertificatePrivateKey(
            out->native, CRYPT_ACQUIRE_SILENT_FLAG | CRYPT_ACQUIRE_PREFER_NCRYPT_KEY_FLAG, NULL,
            &handle, &spec, &owns)) {
        *error = GetLastError();
        return PLAT_STORE_NO_KEY;
    }
    if (spec == CERT_NCRYPT_KEY_SPEC) {
        out->key = handle;
        out->owns_key = owns;
        return PLAT_STORE_OK;
    }
    out->key = machine_store_translate(handle, spec);
    out->owns_key = true;
    *error = out->key != 0 ? 0 : GetLastError();
    if (owns) {
        (void)CryptReleaseContext(handle, 0);
    }
    return out->key != 0 ? PLAT_STORE_OK : PLAT_STORE_NO_KEY;
}

enum plat_store plat_store_open(const uint8_t thumbprint[PLAT_THUMBPRINT_BYTES],
                                struct plat_store_certificate *out, uint32_t *error)
{
    CRYPT_HASH_BLOB hash = {PLAT_THUMBPRINT_BYTES, (BYTE *)(uintptr_t)thumbprint};
    *out = (struct plat_store_certificate){0};
    *error = 0;
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                                     CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG |
                                         CERT_STORE_OPEN_EXISTING_FLAG,
                                     L"MY");
    if (store == NULL) {
        *error = GetLastError();
        return *error == ERROR_FILE_NOT_FOUND ? PLAT_STORE_ABSENT : PLAT_STORE_FAILED;
    }
    PCCERT_CONTEXT found =
        CertFindCertificateInStore(store, ENCODING, 0, CERT_FIND_SHA1_HASH, &hash, NULL);
    (void)CertCloseStore(store, 0);
    if (found == NULL) {
        return PLAT_STORE_ABSENT;
    }
    out->native = (void *)(uintptr_t)found;
    out->der = found->pbCertEncoded;
    out->der_len = found->cbCertEncoded;
    enum plat_store result = machine_store_take_key(out, error);
    if (result != PLAT_STORE_OK) {
        plat_store_close(out);
    }
    return result;
}

enum plat_store plat_store_sign(const struct plat_store_certificate *certificate, bool pss,
                                const uint8_t digest[32], uint8_t *out, size_t cap, size_t *len,
                                uint32_t *error)
{
    BCRYPT_PSS_PADDING_INFO pss_info = {BCRYPT_SHA256_ALGORITHM, 32};
    BCRYPT_PKCS1_PADDING_INFO pkcs1_info = {BCRYPT_SHA256_ALGORITHM};
    DWORD written = 0;
    SECURITY_STATUS status =
        NCryptSignHash(certificate->key, pss ? (void *)&pss_info : (void *)&pkcs1_info,
                       (BYTE *)(uintptr_t)digest, 32, out, (DWORD)cap, &written,
                       (pss ? BCRYPT_PAD_PSS : BCRYPT_PAD_PKCS1) | NCRYPT_SILENT_FLAG);
    *len = status == ERROR_SUCCESS ? written : 0;
    *error = (uint32_t)status;
    return status == ERROR_SUCCESS ? PLAT_STORE_OK : PLAT_STORE_FAILED;
}

void plat_store_close(struct plat_store_certificate *certificate)
{
    if (certificate->key != 0 && certificate->owns_key) {
        (void)NCryptFreeObject(certificate->key);
    }
    if (certificate->native != NULL) {
        (void)CertFreeCertificateContext(certificate->native);
    }
    *certificate = (struct plat_store_certificate){0};
}
