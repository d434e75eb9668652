#include "keyops.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud.h"
#include "crypt.h"
#include "encode.h"
#include "keyjson.h"
#include "memo.h"
#include "settings.h"

/* Outside nbf and exp only operations that open existing data are allowed. */
static bool is_opening(enum operation operation)
{
    return operation == OP_UNWRAP || operation == OP_DECRYPT || operation == OP_VERIFY;
}

static bool check_usable(const struct key_view *view, enum operation operation,
                         struct answer *answer)
{
    const char *word = operation_permission(operation);
    int64_t now = clock_service();
    if (!view->enabled) {
        answer_error(answer, 403, "Forbidden", "KeyDisabled",
                     "Operation %s is not allowed on a disabled key.", word);
        return false;
    }
    if (view->exp != 0 && now >= view->exp && !is_opening(operation)) {
        answer_error(answer, 403, "Forbidden", "KeyExpired",
                     "Operation %s is not allowed on an expired key.", word);
        return false;
    }
    if (view->nbf != 0 && now < view->nbf && !is_opening(operation)) {
        answer_error(answer, 403, "Forbidden", "KeyNotYetValid",
                     "Operation %s is not allowed on a key that is not yet valid.", word);
        return false;
    }
    if ((view->ops & keyjson_op(word)) == 0) {
        answer_error(answer, 403, "Forbidden", "KeyOperationForbidden",
                     "Operation %s is not permitted on this key.", word);
        return false;
    }
    return true;
}

/* The bytes of a base64url property; NULL: refused. */
static uint8_t *take_bytes(const cJSON *body, const char *name, size_t *len, struct answer *answer)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, name));
    uint8_t *bytes = text != NULL && text[0] != '\0' ? base64url_decode_padded(text, len) : NULL;
    if (bytes == NULL && text != NULL && text[0] != '\0') {
        answer_error(answer, 400, "BadParameter", NULL,
                     "Content of '%s' is not base64url.\r\nProperty '%s' is required.", name, name);
    } else if (bytes == NULL) {
        answer_error(answer, 400, "BadParameter", NULL, "Property '%s' is required.", name);
    }
    return bytes;
}

static void keyops_refuse(enum crypt_rc rc, enum operation operation, const char *alg,
                          struct answer *answer)
{
    bool is_private = operation == OP_UNWRAP || operation == OP_DECRYPT;
    if (rc == CRYPT_UNKNOWN_ALGORITHM) {
        answer_error(answer, 400, "BadParameter", NULL,
                     "The algorithm '%s' is not supported for this key and operation.", alg);
    } else if (rc == CRYPT_BAD_PADDING) {
        answer_error(answer, 400, "BadParameter", NULL,
                     "Error occurred while decoding OAEP padding.");
    } else if (is_private) {
        answer_error(answer, 400, "BadParameter", NULL,
                     "Unable to decrypt specified value with this key.");
    } else {
        answer_error(answer, 400, "BadParameter", NULL,
                     "The length of the value is not valid for this key and algorithm.");
    }
}

static void give_value(const struct key_view *view, const char *alg, struct crypt_bytes value,
                       struct answer *answer)
{
    char kid[700];
    keyjson_kid(view, true, kid, sizeof kid);
    char *text = base64url_encode(value.bytes, value.len);
    cJSON *json = cJSON_CreateObject();
    if (cloud_is_hsm(view->host)) {
        cJSON_AddStringToObject(json, "alg", alg);
    }
    cJSON_AddStringToObject(json, "kid", kid);
    cJSON_AddStringToObject(json, "value", text);
    free(text);
    answer_json(answer, 200, json);
}

static void keyops_compute(const struct service_call *call, const struct key_view *view,
                           const char *alg, struct answer *answer)
{
    uint8_t out[CRYPT_MAX];
    size_t out_len = 0;
    enum operation operation = call->request->operation;
    struct crypt_bytes in = {NULL, 0};
    struct settings settings = settings_get();
    uint8_t *bytes = take_bytes(call->body, "value", &in.len, answer);
    if (bytes == NULL) {
        return;
    }
    in.bytes = bytes;
    enum crypt_rc rc =
        operation == OP_WRAP || operation == OP_ENCRYPT
            ? crypt_encrypt(view->pkey, alg, in, out, &out_len)
        : operation == OP_SIGN ? crypt_sign(view->pkey, alg, in, out, &out_len)
        : settings.memoise
            ? memo_decrypt(view->pkey, alg, settings.implicit_rejection, in, out, &out_len)
            : crypt_decrypt(view->pkey, alg, settings.implicit_rejection, in, out, &out_len);
    if (rc == CRYPT_OK) {
        give_value(view, alg, (struct crypt_bytes){out, out_len}, answer);
    } else {
        keyops_refuse(rc, operation, alg, answer);
    }
    OPENSSL_cleanse(out, sizeof out);
    free(bytes);
}

static void keyops_verify(const struct service_call *call, const struct key_view *view,
                          const char *alg, struct answer *answer)
{
    bool is_valid = false;
    struct crypt_bytes digest = {NULL, 0}, signature = {NULL, 0};
    uint8_t *digest_bytes = take_bytes(call->body, "digest", &digest.len, answer);
    uint8_t *signature_bytes =
        digest_bytes != NULL ? take_bytes(call->body, "value", &signature.len, answer) : NULL;
    if (signature_bytes != NULL) {
        digest.bytes = digest_bytes;
        signature.bytes = signature_bytes;
        enum crypt_rc rc = crypt_verify(view->pkey, alg, digest, signature, &is_valid);
        if (rc == CRYPT_OK) {
            cJSON *json = cJSON_CreateObject();
            cJSON_AddBoolToObject(json, "value", is_valid);
            answer_json(answer, 200, json);
        } else {
            keyops_refuse(rc, OP_VERIFY, alg, answer);
        }
    }
    free(digest_bytes);
    free(signature_bytes);
}

void keyops_serve(const struct service_call *call, struct answer *answer)
{
    const struct request *request = call->request;
    struct key_view view;
    if (!service_find(call, &view, answer)) {
        return;
    }
    const char *alg = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call->body, "alg"));
    if (!service_admits(call, &view, answer) || !check_usable(&view, request->operation, answer)) {
        /* refused */
    } else if (alg == NULL) {
        answer_error(answer, 400, "BadParameter", NULL, "Property 'alg' is required.");
    } else if (request->operation == OP_VERIFY) {
        keyops_verify(call, &view, alg, answer);
    } else {
        keyops_compute(call, &view, alg, answer);
    }
    key_view_free(&view);
}
