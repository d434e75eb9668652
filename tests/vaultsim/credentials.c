#include "credentials.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "oidc.h"

#define PEM_MAX 65536

static char *read_file(const char *path)
{
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return NULL;
    }
    char *text = must(calloc(1, PEM_MAX));
    size_t len = fread(text, 1, PEM_MAX - 1, in);
    fclose(in);
    text[len] = '\0';
    return text;
}

/* Only the certificate, without a key or chain in the same text. */
static cJSON *take_certificate(const char *text)
{
    char *file = text[0] == '/' ? read_file(text) : NULL, *data = NULL;
    const char *pem = file != NULL ? file : text;
    BIO *in = must(BIO_new_mem_buf(pem, -1)), *out = must(BIO_new(BIO_s_mem()));
    X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
    cJSON *json = NULL;
    if (certificate != NULL && PEM_write_bio_X509(out, certificate) == 1) {
        long len = BIO_get_mem_data(out, &data);
        char *copy = must(strndup(data, (size_t)len));
        json = cJSON_CreateString(copy);
        free(copy);
    }
    X509_free(certificate);
    BIO_free(in);
    BIO_free(out);
    free(file);
    return json;
}

static bool take_certificates(const cJSON *list, cJSON *out)
{
    const cJSON *item = NULL;
    cJSON *certificates = cJSON_AddArrayToObject(out, "certificates");
    cJSON_ArrayForEach(item, list)
    {
        cJSON *certificate = cJSON_IsString(item) ? take_certificate(item->valuestring) : NULL;
        if (certificate == NULL) {
            return false;
        }
        cJSON_AddItemToArray(certificates, certificate);
    }
    return cJSON_IsArray(list);
}

static bool take_federated(const cJSON *list, cJSON *out)
{
    static const char *const members[][2] = {
        {"issuer", OIDC_ISSUER}, {"subject", OIDC_SUBJECT}, {"audience", OIDC_AUDIENCE}};
    const cJSON *item = NULL;
    cJSON *federated = cJSON_AddArrayToObject(out, "federated");
    cJSON_ArrayForEach(item, list)
    {
        cJSON *kept = cJSON_CreateObject();
        for (size_t i = 0; i < 3; i++) {
            const char *text =
                cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, members[i][0]));
            cJSON_AddStringToObject(kept, members[i][0], text != NULL ? text : members[i][1]);
        }
        cJSON_AddItemToArray(federated, kept);
    }
    return cJSON_IsArray(list);
}

static bool take_secrets(const cJSON *list, cJSON *out)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item) || item->valuestring[0] == '\0') {
            return false;
        }
    }
    cJSON_AddItemToObject(out, "expired_secrets", cJSON_Duplicate(list, true));
    return cJSON_IsArray(list);
}

const char *credentials_take(const cJSON *json, cJSON **out)
{
    const cJSON *certificates = cJSON_GetObjectItemCaseSensitive(json, "certificates");
    const cJSON *federated = cJSON_GetObjectItemCaseSensitive(json, "federated");
    const cJSON *expired = cJSON_GetObjectItemCaseSensitive(json, "expired_secrets");
    const char *problem = NULL;
    *out = cJSON_CreateObject();
    if (certificates != NULL && !take_certificates(certificates, *out)) {
        problem = "certificates is a list of PEM texts or of paths of PEM files";
    } else if (federated != NULL && !take_federated(federated, *out)) {
        problem = "federated is a list of objects";
    } else if (expired != NULL && !take_secrets(expired, *out)) {
        problem = "expired_secrets is a list of strings";
    }
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "disabled" : "public";
        const cJSON *flag = cJSON_GetObjectItemCaseSensitive(json, name);
        if (flag != NULL) {
            cJSON_AddBoolToObject(*out, name, cJSON_IsTrue(flag));
        }
    }
    if (problem != NULL) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return problem;
}
