#include "pki.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "cloud.h"
#include "encode.h"
#include "material.h"
#include "state.h"

#define VALID_DAYS 3650

static EVP_PKEY *load_key(const char *name)
{
    char *pem = state_read_file(name);
    EVP_PKEY *pkey = pem != NULL ? material_from_pem(pem) : NULL;
    free(pem);
    return pkey;
}

static X509 *load_certificate(const char *name)
{
    char *pem = state_read_file(name);
    BIO *bio = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
    X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    free(pem);
    return certificate;
}

static bool save_key(const char *name, EVP_PKEY *pkey)
{
    char *pem = material_to_pem(pkey);
    bool is_done = state_write_file(name, pem);
    free(pem);
    return is_done;
}

static bool save_certificate(const char *name, X509 *certificate)
{
    char *data = NULL;
    BIO *bio = must(BIO_new(BIO_s_mem()));
    bool is_done = PEM_write_bio_X509(bio, certificate) == 1;
    long len = BIO_get_mem_data(bio, &data);
    char *pem = must(strndup(data, (size_t)len));
    BIO_free(bio);
    is_done = is_done && state_write_file(name, pem);
    free(pem);
    return is_done;
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool is_done = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_done;
}

static void set_serial(X509 *certificate)
{
    unsigned char bytes[16];
    BIGNUM *number = NULL;
    if (RAND_bytes(bytes, sizeof bytes) == 1) {
        bytes[0] = (bytes[0] & 0x3f) | 0x40;
        number = BN_bin2bn(bytes, sizeof bytes, NULL);
    }
    BN_to_ASN1_INTEGER(must(number), X509_get_serialNumber(certificate));
    BN_free(number);
}

/* An unsigned certificate for the key; issuer NULL: itself. */
static X509 *pki_draft(EVP_PKEY *pkey, const char *name, X509 *issuer)
{
    X509 *certificate = must(X509_new());
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_set_version(certificate, X509_VERSION_3);
    set_serial(certificate);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400L * VALID_DAYS);
    X509_set_pubkey(certificate, pkey);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, issuer != NULL ? X509_get_subject_name(issuer) : subject);
    return certificate;
}

static X509 *make_authority(EVP_PKEY *pkey)
{
    X509 *certificate = pki_draft(pkey, "vaultsim test authority", NULL);
    if (!add_extension(certificate, certificate, NID_basic_constraints,
                       "critical,CA:TRUE,pathlen:0") ||
        !add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(certificate, certificate, NID_subject_key_identifier, "hash") ||
        X509_sign(certificate, pkey, EVP_sha256()) == 0) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

static char *names_of(const cJSON *vaults)
{
    char *names = must(strdup("IP:127.0.0.1")), *name = NULL;
    const cJSON *vault = NULL;
    for (size_t i = 0; (name = cloud_certificate_name(i)) != NULL; i++) {
        char *longer = format_text("%s,DNS:%s", names, name);
        free(names);
        free(name);
        names = longer;
    }
    cJSON_ArrayForEach(vault, vaults)
    {
        const char *host = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(vault, "host"));
        if (!cloud_covers(host)) {
            char *longer = format_text("%s,DNS:%s", names, host);
            free(names);
            names = longer;
        }
    }
    return names;
}

static X509 *make_server(EVP_PKEY *pkey, X509 *authority, EVP_PKEY *authority_key,
                         const cJSON *vaults)
{
    char *names = names_of(vaults);
    X509 *certificate = pki_draft(pkey, "vaultsim", authority);
    bool is_done =
        add_extension(certificate, authority, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(certificate, authority, NID_key_usage, "critical,digitalSignature") &&
        add_extension(certificate, authority, NID_ext_key_usage, "serverAuth") &&
        add_extension(certificate, authority, NID_authority_key_identifier, "keyid") &&
        add_extension(certificate, authority, NID_subject_alt_name, names) &&
        X509_sign(certificate, authority_key, EVP_sha256()) != 0;
    free(names);
    if (!is_done) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

/* To check a wildcard, asks for a name under it. */
static bool covers_names(X509 *certificate)
{
    char *name = NULL;
    bool is_covered = true;
    for (size_t i = 0; is_covered && (name = cloud_certificate_name(i)) != NULL; i++) {
        char *host = name[0] == '*' ? format_text("any%s", name + 1) : must(strdup(name));
        is_covered = X509_check_host(certificate, host, 0, 0, NULL) == 1;
        free(host);
        free(name);
    }
    return is_covered;
}

static bool covers_all(X509 *certificate, const cJSON *vaults)
{
    const cJSON *vault = NULL;
    cJSON_ArrayForEach(vault, vaults)
    {
        const char *host = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(vault, "host"));
        if (X509_check_host(certificate, host, 0, 0, NULL) != 1) {
            return false;
        }
    }
    return covers_names(certificate);
}

static const char *prepare_server(X509 *authority, EVP_PKEY *authority_key, const cJSON *vaults)
{
    const char *problem = NULL;
    EVP_PKEY *pkey = load_key("server.key");
    X509 *certificate = load_certificate("server.pem");
    if (pkey == NULL || certificate == NULL || !covers_all(certificate, vaults)) {
        X509_free(certificate);
        pkey = pkey != NULL ? pkey : material_generate_ec();
        certificate = pkey != NULL ? make_server(pkey, authority, authority_key, vaults) : NULL;
        if (certificate == NULL || !save_key("server.key", pkey) ||
            !save_certificate("server.pem", certificate)) {
            problem = "the server certificate cannot be made";
        }
    }
    X509_free(certificate);
    EVP_PKEY_free(pkey);
    return problem;
}

const char *pki_prepare(const cJSON *vaults, struct pki *pki)
{
    const char *problem = NULL;
    EVP_PKEY *pkey = load_key("ca.key");
    X509 *authority = load_certificate("ca.pem");
    if (pkey == NULL || authority == NULL) {
        EVP_PKEY_free(pkey);
        X509_free(authority);
        pkey = material_generate_ec();
        authority = pkey != NULL ? make_authority(pkey) : NULL;
        if (authority == NULL || !save_key("ca.key", pkey) ||
            !save_certificate("ca.pem", authority)) {
            problem = "the certification authority cannot be made";
        }
        state_remove_file("server.pem");
    }
    if (problem == NULL) {
        problem = prepare_server(authority, pkey, vaults);
    }
    X509_free(authority);
    EVP_PKEY_free(pkey);
    pki->certificate = problem == NULL ? must(state_read_file("server.pem")) : NULL;
    pki->key = problem == NULL ? must(state_read_file("server.key")) : NULL;
    return problem;
}

void pki_free(struct pki *pki)
{
    free(pki->certificate);
    free(pki->key);
    pki->certificate = pki->key = NULL;
}
