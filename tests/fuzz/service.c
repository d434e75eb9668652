#include "service.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "vault/address.h"

static const struct {
    const char *name, *version;
    uint32_t bits;
    uint8_t pattern;
} keys[SERVICE_KEYS] = {
    {"TdeKey", "v1", 2048, 0xC1}, {"TdeKey", "v2", 2048, 0xC3}, {"Mid", "v1", 3072, 0xC5},
    {"Big", "v1", 4096, 0xC7},    {"Odd", "v1", 1024, 0xC9},
};

/* The answer on its way; lives until the next one. */
static struct buf body = BUF_EMPTY(1 << 16), header = BUF_EMPTY(4096);

void service_begin(struct service *service, struct fuzz_input *input)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < input->left; i++) {
        hash = (hash ^ input->at[i]) * 1099511628211u;
    }
    memset(service, 0, sizeof *service);
    service->input = input;
    (void)text_format(service->marker, sizeof service->marker, "%016llx", (unsigned long long)hash);
    (void)text_format(service->secret, sizeof service->secret, "s~%s", service->marker);
    (void)text_format(service->plain, sizeof service->plain, "a data key %s", service->marker);
}

const char *service_key_name(size_t index)
{
    return keys[index].name;
}

static void modulus_of(size_t index, uint8_t *n)
{
    memset(n, keys[index].pattern, keys[index].bits / 8);
}

void service_thumbprint(size_t index, struct thumbprint *out)
{
    static const uint8_t exponent[] = {1, 0, 1};
    uint8_t n[RSA_MAX_BYTES];
    struct rsa_public key;
    modulus_of(index, n);
    memset(out, 0, sizeof *out);
    if (rsa_public_set(&key, n, keys[index].bits / 8, exponent, sizeof exponent) == EKM_OK) {
        FUZZ_CHECK(rsa_public_thumbprint(&key, out) == EKM_OK);
    }
}

#define SAY(...) FUZZ_CHECK(buf_append_format(&body, __VA_ARGS__) == EKM_OK)

static void say_kid(const char *host, size_t index, bool versioned)
{
    SAY("\"kid\":\"https://%s/keys/%s%s%s\"", host, keys[index].name, versioned ? "/" : "",
        versioned ? keys[index].version : "");
}

static void say_value(const uint8_t *value, size_t len)
{
    SAY(",\"value\":\"");
    FUZZ_CHECK(base64url_encode(value, len, &body) == EKM_OK);
    SAY("\"}");
}

static void say_key(const char *host, size_t index, uint8_t attributes)
{
    uint8_t n[RSA_MAX_BYTES];
    modulus_of(index, n);
    SAY("{\"key\":{");
    say_kid(host, index, true);
    SAY(",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
    FUZZ_CHECK(base64url_encode(n, keys[index].bits / 8, &body) == EKM_OK);
    SAY("\"},\"attributes\":{\"enabled\":%s,\"recoveryLevel\":\"%s\"%s}%s}",
        attributes % 7 == 6 ? "false" : "true",
        attributes % 5 == 4 ? "Purgeable" : "CustomizedRecoverable",
        attributes % 3 == 2 ? ",\"exp\":1600000000" : "",
        attributes % 11 == 10 ? ",\"managed\":true" : "");
}

static void say_page(const char *host, const char *name, uint8_t more)
{
    SAY("{\"value\":[");
    bool first = true;
    for (size_t i = 0; i < SERVICE_KEYS; i++) {
        bool listed = name != NULL ? text_equal_nocase(name, keys[i].name) : i != 1;
        if (listed) {
            SAY("%s{", first ? "" : ",");
            say_kid(host, i, name != NULL);
            SAY(",\"attributes\":{\"created\":%u}}", (unsigned)i + 1);
            first = false;
        }
    }
    SAY("]");
    if (more % 4 == 3) {
        SAY(",\"nextLink\":\"https://%s/keys?page=2\"", host);
    }
    SAY("}");
}

/* The newest of this name, or the version asked for; SERVICE_KEYS if there is none. */
static size_t service_find(const char *name, const char *version)
{
    size_t found = SERVICE_KEYS;
    for (size_t i = 0; i < SERVICE_KEYS; i++) {
        if (text_equal_nocase(keys[i].name, name) &&
            (version[0] == '\0' || text_equal_nocase(keys[i].version, version))) {
            found = i;
        }
    }
    return found;
}

struct path {
    char part[4][160]; /* "keys", name, version or action, action */
};

static void service_split(const char *url, const char *host, struct path *out)
{
    const char *at = url + 8 + strlen(host);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < 4 && *at == '/'; i++) {
        size_t len = strcspn(++at, "/?");
        FUZZ_CHECK(text_copy_n(out->part[i], sizeof out->part[i], at, len));
        at += len;
    }
}

/* Right answers of a vault to a request with a token. Returns the status. */
static long answer_vault(struct service *service, const struct seen_request *asked,
                         const char *host)
{
    struct path path;
    uint8_t wrapped[RSA_MAX_BYTES];
    uint8_t mood = fuzz_byte(service->input);
    service_split(asked->url, asked->host, &path);
    const char *name = path.part[1], *version = path.part[2];
    bool wraps = strcmp(path.part[3], "wrapkey") == 0;
    if (name[0] == '\0') {
        say_page(host, NULL, mood);
    } else if (strcmp(version, "versions") == 0) {
        say_page(host, name, mood);
    } else if (strcmp(version, "create") == 0) {
        FUZZ_CHECK(asked->once);
        say_key(host, mood % SERVICE_KEYS, 0);
    } else if (asked->method == HTTP_DELETE) {
        FUZZ_CHECK(asked->once);
        SAY("{}");
    } else {
        size_t index = service_find(name, version);
        if (index == SERVICE_KEYS) {
            SAY("{\"error\":{\"code\":\"KeyNotFound\"}}");
            return 404;
        }
        if (asked->method == HTTP_GET) {
            say_key(host, index, mood);
            return 200;
        }
        service->wraps += wraps;
        service->unwraps += !wraps;
        if (!wraps && mood % 2 != 0) {
            SAY("{\"error\":{\"code\":\"BadParameter\"}}");
            return 400;
        }
        memset(wrapped, 0xA5, sizeof wrapped);
        SAY("{");
        say_kid(host, index, true);
        say_value(wraps ? wrapped : (const uint8_t *)service->plain,
                  wraps ? keys[index].bits / 8 : strlen(service->plain));
    }
    return 200;
}

static void say_challenge(const char *host)
{
    const char *resource = strchr(host, '.');
    FUZZ_CHECK(buf_append_format(&header,
                                 "Bearer authorization=\"https://login.windows.net/t.example\", "
                                 "resource=\"https://%s\"",
                                 resource != NULL ? resource + 1 : "") == EKM_OK);
}

/* Nothing of the host's secrets goes anywhere but to an Entra host on the list, no token to any but
 * a vault on the list. */
static void check_request(const struct service *service, const struct call *call,
                          const struct seen_request *asked)
{
    struct vault_address address;
    const struct vault_address any_cloud = {"", ""};
    size_t len = strlen(asked->host);
    FUZZ_CHECK(strncmp(asked->url, "https://", 8) == 0 && len > 0);
    FUZZ_CHECK(strncmp(asked->url + 8, asked->host, len) == 0);
    FUZZ_CHECK(asked->url[8 + len] == '/' || strncmp(asked->url + 8 + len, ":443/", 5) == 0);
    for (const char *at = asked->url; *at != '\0'; at++) {
        FUZZ_CHECK((uint8_t)*at > ' ');
    }
    for (const char *at = asked->bearer; *at != '\0'; at++) {
        FUZZ_CHECK(*at > ' ' && *at <= '~');
    }
    FUZZ_CHECK(strstr(asked->url, service->marker) == NULL);
    if (asked->to_entra) {
        FUZZ_CHECK(address_login(call->config, &any_cloud, asked->host) != NULL &&
                   asked->bearer[0] == '\0');
        FUZZ_CHECK(strstr(asked->url, "/oauth2/v2.0/token") != NULL);
    } else {
        FUZZ_CHECK(address_parse(call->config, asked->host, &address) == EKM_OK);
        FUZZ_CHECK(strstr(asked->body, service->marker) == NULL);
    }
}

static void answer_rightly(struct service *service, const struct seen_request *asked,
                           const char *host, struct scripted_answer *answer)
{
    answer->status = 200;
    if (asked->to_entra) {
        SAY("{\"token_type\":\"Bearer\",\"expires_in\":%u,\"access_token\":\"t.%s.%u\"}",
            3600u >> fuzz_byte(service->input) % 12, service->marker, ++service->tokens);
    } else if (asked->bearer[0] == '\0') {
        answer->status = 401;
        say_challenge(host);
    } else {
        answer->status = answer_vault(service, asked, host);
    }
}

static void service_refuse(struct service *service, struct scripted_answer *answer)
{
    static const long statuses[] = {400, 401, 403, 404, 408, 409, 429, 500, 503, 302, 201, 204};
    static const char *const codes[] = {"Forbidden", "KeyDisabled", "ForbiddenByFirewall", "x y"};
    static const char *const waits[] = {"", "1", "100", "Sun, 06 Nov 2094 08:49:37 GMT"};
    uint8_t which = fuzz_byte(service->input);
    answer->status = statuses[which % 12];
    answer->retry_after = waits[which / 12 % 4];
    SAY("{\"error\":{\"code\":\"%s\",\"innererror\":{\"code\":\"%s\"}}}", codes[which % 4],
        codes[which / 48 % 4]);
    say_challenge("login.windows.net.vault.azure.net");
}

static void answer_strangely(struct service *service, uint8_t how, const struct seen_request *asked,
                             struct scripted_answer *answer)
{
    static const enum ekm_rc failures[] = {
        EKM_CONNECT_FAILED, EKM_TLS_FAILED,        EKM_CERTIFICATE_REFUSED, EKM_NO_ANSWER,
        EKM_PROXY,          EKM_CONNECTION_BROKEN, EKM_ANSWER_TOO_BIG,      EKM_HOST_NOT_RESOLVED,
    };
    struct fuzz_input *input = service->input;
    answer->maybe_sent = how % 2 != 0;
    if (how < 170) {
        answer->rc = failures[how % 8];
    } else if (how < 200) {
        service_refuse(service, answer);
    } else if (how < 215) {
        answer_rightly(service, asked, asked->host, answer);
        size_t cut = fuzz_number(input) % (body.len + 1);
        body.len = cut;
        if (body.data != NULL) {
            body.data[cut] = 0;
        }
    } else if (how < 230) {
        answer_rightly(service, asked, "fabrikam.vault.azure.net", answer);
    } else {
        uint8_t status = fuzz_byte(input);
        answer->status = status < 128 ? 200 : status < 192 ? 401 : 100 + 4 * (long)status;
        size_t len;
        uint8_t *text = fuzz_bytes(input, fuzz_number(input) % 1024, &len);
        FUZZ_CHECK(buf_append(how % 2 != 0 ? &header : &body, text, len) == EKM_OK);
        free(text);
    }
}

void service_answer(void *context, struct call *call, const struct seen_request *asked,
                    struct scripted_answer *answer)
{
    struct service *service = context;
    uint8_t how = fuzz_byte(service->input);
    check_request(service, call, asked);
    buf_clear(&body);
    buf_clear(&header);
    *answer = (struct scripted_answer){.rc = EKM_OK, .status = 200};
    if (how < 150) {
        answer_rightly(service, asked, asked->host, answer);
    } else {
        service->strange = true;
        answer_strangely(service, how, asked, answer);
        uint64_t slow = how % 3 == 0 ? fuzz_byte(service->input) : 0;
        answer->takes_ms = slow * slow;
    }
    answer->body = buf_text(&body);
    answer->authenticate = buf_text(&header);
    answer->request_id = "0b7f-request";
}
