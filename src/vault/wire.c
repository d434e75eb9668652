#include "vault/wire.h"

#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "vault/json.h"
#include "vault/json_scan.h"

#define KID_MAX   ((size_t)511)
#define TOKEN_MAX ((size_t)32 * 1024) /* real ones have a few KiB */

void wire_start(void)
{
    json_start();
}

/* The service's words go into a log line, so they are cut to the length of such a code. */
static void copy_code(char *dst, size_t cap, const char *src)
{
    if (src != NULL) {
        (void)text_copy(dst, cap, src);
    }
}

static const cJSON *inner_of(const cJSON *error)
{
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(error, "innererror");
    return inner != NULL ? inner : cJSON_GetObjectItemCaseSensitive(error, "innerError");
}

/* Only a lack of memory is an error here. A body that is not JSON just has no words. */
static enum ekm_rc parse_refusal(struct call *call, const struct buf *body, cJSON **json)
{
    enum ekm_rc rc = json_parse(body, json);
    return rc == EKM_OUT_OF_MEMORY ? call_fail(call, rc, "a refusal") : EKM_OK;
}

/* The number in a message like "... AKV10046: ..."; 0: none. */
static uint32_t akv_number(const char *message)
{
    const char *at = message;
    char digits[8];
    uint64_t number = 0;
    while (at != NULL && (at = strstr(at, "AKV")) != NULL) {
        at += 3;
        size_t len = strspn(at, "0123456789");
        if (len > 0 && text_copy_n(digits, sizeof digits, at, len) &&
            text_to_u64(digits, UINT32_MAX, &number)) {
            return (uint32_t)number;
        }
    }
    return 0;
}

/* A vault's error has two texts, each of which may be null. Other services use numbers or omit
 * them. */
static bool wire_is_vault_error(const cJSON *error)
{
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(error, "message");
    bool says_something = code != NULL || message != NULL || inner_of(error) != NULL;
    return cJSON_IsObject(error) && says_something &&
           (code == NULL || cJSON_IsNull(code) || cJSON_IsString(code)) &&
           (message == NULL || cJSON_IsNull(message) || cJSON_IsString(message));
}

enum ekm_rc wire_read_error(struct call *call, const struct buf *body, bool *is_own)
{
    cJSON *json = NULL;
    enum ekm_rc rc = parse_refusal(call, body, &json);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    *is_own = wire_is_vault_error(error);
    if (*is_own) {
        call->error.akv = akv_number(json_text(error, "message"));
        copy_code(call->error.azure_code, sizeof call->error.azure_code, json_text(error, "code"));
        for (const cJSON *inner = inner_of(error); cJSON_IsObject(inner); inner = inner_of(inner)) {
            copy_code(call->error.inner_code, sizeof call->error.inner_code,
                      json_text(inner, "code"));
        }
    }
    json_free(json);
    return rc;
}

/* The number comes from "AADSTS7000215: ..." at the start of error_description, else it is the
 * first of error_codes. */
static uint32_t aadsts_number(const cJSON *json)
{
    const char *description = json_text(json, "error_description");
    const cJSON *first =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "error_codes"), 0);
    char digits[12];
    uint64_t number = 0;
    if (description != NULL && strncmp(description, "AADSTS", 6) == 0) {
        size_t len = strspn(description + 6, "0123456789");
        if (text_copy_n(digits, sizeof digits, description + 6, len) &&
            text_to_u64(digits, UINT32_MAX, &number)) {
            return (uint32_t)number;
        }
    }
    return cJSON_IsNumber(first) && first->valuedouble > 0 && first->valuedouble < UINT32_MAX
               ? (uint32_t)first->valuedouble
               : 0;
}

enum ekm_rc wire_read_token_error(struct call *call, const struct buf *body, char *error,
                                  size_t cap)
{
    cJSON *json = NULL;
    enum ekm_rc rc = parse_refusal(call, body, &json);
    const char *word = json_text(json, "error");
    call->error.aadsts = aadsts_number(json);
    (void)text_copy(error, cap, word != NULL && text_is_name(word, "_", cap - 1) ? word : "");
    json_free(json);
    return rc;
}

/* A token goes into a header line. So it must be visible ASCII and no longer than a header that the
 * vault accepts. */
static bool is_token(const char *text)
{
    if (strlen(text) > TOKEN_MAX) {
        return false;
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~') {
            return false;
        }
    }
    return *text != '\0';
}

static uint64_t wire_seconds(const cJSON *json, const char *name)
{
    int64_t seconds = 0;
    return json_integer(json, name, &seconds) && seconds > 0 ? (uint64_t)seconds : 0;
}

static void wire_read_token_facts(const cJSON *json, struct wire_token *facts)
{
    const char *resource_id = json_text(json, "msi_res_id");
    facts->expires_in_s = wire_seconds(json, "expires_in");
    facts->refresh_in_s = wire_seconds(json, "refresh_in");
    facts->expires_on_s = (int64_t)wire_seconds(json, "expires_on");
    copy_code(facts->client_id, sizeof facts->client_id, json_text(json, "client_id"));
    copy_code(facts->object_id, sizeof facts->object_id, json_text(json, "object_id"));
    copy_code(facts->resource_id, sizeof facts->resource_id,
              resource_id != NULL ? resource_id : json_text(json, "mi_res_id"));
}

enum ekm_rc wire_read_token(struct call *call, const struct buf *body, struct buf *token,
                            struct wire_token *facts)
{
    cJSON *json = NULL;
    memset(facts, 0, sizeof *facts);
    enum ekm_rc rc = json_demand(call, body, EKM_TOKEN_NOT_JSON, "", &json);
    if (rc != EKM_OK) {
        return rc;
    }
    const char *value = json_text(json, "access_token"), *type = json_text(json, "token_type");
    if (value == NULL || !is_token(value)) {
        rc = call_fail(call, EKM_TOKEN_MISSING, "no usable access_token");
    } else if (type != NULL && !text_equal_nocase(type, "Bearer")) {
        rc = call_fail(call, EKM_TOKEN_MISSING, "token_type is not Bearer");
    } else if (buf_append_text(token, value) != EKM_OK) {
        rc = call_fail(call, EKM_OUT_OF_MEMORY, NULL);
    }
    wire_read_token_facts(json, facts);
    json_free(json);
    return rc;
}

/* The body is {"error":"word"}, {"error":{"code":"word"}} or {"statusCode":500}. */
enum ekm_rc wire_read_identity_error(struct call *call, const struct buf *body, char *error,
                                     size_t cap)
{
    cJSON *json = NULL;
    enum ekm_rc rc = parse_refusal(call, body, &json);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "error");
    const char *word = cJSON_IsObject(item) ? json_text(item, "code") : json_text(json, "error");
    call->error.aadsts = aadsts_number(json);
    (void)text_copy(error, cap, word != NULL && text_is_name(word, "_-.", cap - 1) ? word : "");
    json_free(json);
    return rc;
}

enum ekm_rc wire_write_operation(const char *algorithm, const uint8_t *value, size_t len,
                                 struct buf *out)
{
    const char *const head[] = {"{\"alg\":\"", algorithm, "\",\"value\":\""};
    /* Reserves all at once, because a buffer that grows is copied and wiped. */
    enum ekm_rc rc = buf_reserve(out, len / 3 * 4 + 64);
    if (rc != EKM_OK) {
        return rc;
    }
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) {
        rc = buf_append_text(out, head[i]);
        if (rc != EKM_OK) {
            return rc;
        }
    }
    rc = base64url_encode(value, len, out);
    if (rc != EKM_OK) {
        return rc;
    }
    return buf_append_text(out, "\"}");
}

struct operation_errors {
    enum ekm_rc bad_value, not_json, no_value, empty;
};

/* `kid` and `value` are those of the response; NULL: absent. */
static enum ekm_rc judge_operation(struct call *call, const struct operation_errors *error,
                                   const char *host, const char *kid, const struct json_span *value,
                                   struct key_id *worker, struct buf *out)
{
    if (value->at == NULL || value->len == 0) {
        return call_fail(call, error->no_value, NULL);
    }
    if (kid == NULL || !key_uri_parse(kid, host, worker)) {
        return call_fail(call, EKM_OTHER_KEY, "the response's kid is not a key of this vault");
    }
    enum ekm_rc rc = base64_decode(value->at, value->len, out);
    if (rc != EKM_OK || out->len == 0) {
        return call_fail(call, rc == EKM_OUT_OF_MEMORY ? rc : error->bad_value, NULL);
    }
    return EKM_OK;
}

enum ekm_rc wire_read_operation(struct call *call, enum wire_operation operation, const char *host,
                                const struct buf *body, struct key_id *worker, struct buf *value)
{
    static const struct operation_errors errors[] = {
        {EKM_WRAP_BAD_VALUE, EKM_WRAP_NOT_JSON, EKM_WRAP_NO_VALUE, EKM_WRAP_EMPTY},
        {EKM_UNWRAP_BAD_VALUE, EKM_UNWRAP_NOT_JSON, EKM_UNWRAP_NO_VALUE, EKM_UNWRAP_EMPTY},
    };
    static const char *const names[] = {"kid", "value"};
    const struct operation_errors *error = &errors[operation];
    struct json_span found[2];
    char kid[KID_MAX + 1];
    if (body->len == 0) {
        return call_fail(call, error->empty, NULL);
    }
    /* This reads the form that vaults send. cJSON reads everything else. */
    if (json_scan_flat(buf_text(body), body->len, names, 2, found) && found[0].at != NULL &&
        text_copy_n(kid, sizeof kid, found[0].at, found[0].len)) {
        return judge_operation(call, error, host, kid, &found[1], worker, value);
    }
    cJSON *json = NULL;
    enum ekm_rc rc = json_demand(call, body, error->not_json, "", &json);
    if (rc != EKM_OK) {
        return rc;
    }
    const char *text = json_text(json, "value");
    const struct json_span encoded = {text, text != NULL ? strlen(text) : 0};
    rc = judge_operation(call, error, host, json_text(json, "kid"), &encoded, worker, value);
    json_free(json);
    return rc;
}

enum ekm_rc wire_write_create(uint32_t bits, bool hsm, struct buf *out)
{
    return buf_append_format(
        out, "{\"kty\":\"%s\",\"key_size\":%u,\"key_ops\":[\"wrapKey\",\"unwrapKey\"]}",
        hsm ? "RSA-HSM" : "RSA", (unsigned)bits);
}
