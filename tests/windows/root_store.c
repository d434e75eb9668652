/* root_store.exe machine|account FILE: the certificate of this PEM file goes into the ROOT store of
 * the machine or of the account, as an administrator does it with certutil, which Wine lacks. */
#include <stdio.h>
#include <string.h>

#include <windows.h>

#include <wincrypt.h>

static DWORD read_der(const char *name, BYTE *der, DWORD cap)
{
    char pem[16384];
    FILE *file = fopen(name, "rb");
    size_t len = file != NULL ? fread(pem, 1, sizeof pem, file) : 0;
    if (file != NULL)
        (void)fclose(file);
    DWORD der_len = cap;
    return len > 0 && CryptStringToBinaryA(pem, (DWORD)len, CRYPT_STRING_BASE64HEADER, der,
                                           &der_len, NULL, NULL)
               ? der_len
               : 0;
}

int main(int argc, char **argv)
{
    BYTE der[16384];
    DWORD len = argc == 3 ? read_der(argv[2], der, sizeof der) : 0;
    DWORD where = argc == 3 && strcmp(argv[1], "account") == 0 ? CERT_SYSTEM_STORE_CURRENT_USER
                                                               : CERT_SYSTEM_STORE_LOCAL_MACHINE;
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, where, (const void *)L"ROOT");
    if (len == 0 || store == NULL) {
        fputs("usage: root_store machine|account FILE\n", stderr);
        return 2;
    }
    BOOL done = CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, der, len,
                                                 CERT_STORE_ADD_REPLACE_EXISTING, NULL);
    DWORD error = GetLastError();
    (void)CertCloseStore(store, 0);
    if (!done)
        fprintf(stderr, "root_store: system error %lu\n", error);
    return !done;
}
