#include "vault/identity_endpoint.h"

#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "platform/default_paths.h"
#include "platform/file.h"
#include "platform/system.h"

#define IMDS_PATH    "/metadata/identity/oauth2/token"
#define IMDS_DEFAULT "http://169.254.169.254" IMDS_PATH
#define ARC_DEFAULT  "http://127.0.0.1:40342" IMDS_PATH

#define ENDPOINT_CAP 512
#define HEADER_MAX   4096

/* The variables of the process's environment. */
struct surroundings {
    char endpoint[ENDPOINT_CAP], header[HEADER_MAX + 1];
    size_t endpoint_len, header_len;
    bool has_imds_endpoint, is_service_fabric;
};

static void endpoint_look_around(struct surroundings *out)
{
    char ignored[2];
    out->endpoint_len = plat_environment("IDENTITY_ENDPOINT", out->endpoint, sizeof out->endpoint);
    out->header_len = plat_environment("IDENTITY_HEADER", out->header, sizeof out->header);
    out->has_imds_endpoint = plat_environment("IMDS_ENDPOINT", ignored, sizeof ignored) > 0;
    out->is_service_fabric =
        plat_environment("IDENTITY_SERVER_THUMBPRINT", ignored, sizeof ignored) > 0;
}

static bool endpoint_has_arc_agent(void)
{
    char agent[1024];
    struct plat_file_state state;
    default_paths_arc_agent(agent, sizeof agent);
    return plat_file_state(agent, &state) == PLAT_IO_OK;
}

static enum identity_source endpoint_pick_source(const struct call *call,
                                                 const struct surroundings *around)
{
    if (call->config->sign_in.source != IDENTITY_SOURCE_AUTO) {
        return call->config->sign_in.source;
    }
    if (around->endpoint_len > 0 && around->header_len > 0) {
        return IDENTITY_SOURCE_APP_SERVICE;
    }
    if ((around->endpoint_len > 0 && around->has_imds_endpoint) || endpoint_has_arc_agent()) {
        return IDENTITY_SOURCE_ARC;
    }
    return IDENTITY_SOURCE_IMDS;
}

static const char *endpoint_host(const char *url, size_t *len)
{
    const char *host = strstr(url, "://");
    host = host != NULL ? host + 3 : url;
    *len = strcspn(host, "/");
    return host;
}

bool identity_endpoint_is_valid(const char *url)
{
    size_t len;
    const char *host = endpoint_host(url, &len), *at = host;
    if (!text_equal_nocase_n(url, "http://", 7) && !text_equal_nocase_n(url, "https://", 8)) {
        return false;
    }
    if (*at == '[') {
        at += 1 + strspn(at + 1, "0123456789abcdefABCDEF:.");
        at += *at == ']' ? 1 : 0;
    } else {
        at += text_name_len(at, ".-", len);
    }
    if (at == host || at[-1] == '[') {
        return false;
    }
    if (*at == ':') {
        size_t digits = strspn(at + 1, "0123456789");
        at += digits >= 1 && digits <= 5 ? digits + 1 : 0;
    }
    if (at != host + len) {
        return false;
    }
    for (; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || strchr("?#@\\\"<>", *at) != NULL) {
            return false;
        }
    }
    return true;
}

bool identity_endpoint_is_loopback(const char *url)
{
    static const char *const names[] = {"localhost", "[::1]"};
    size_t len;
    const char *host = endpoint_host(url, &len);
    size_t name_len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    name_len = name_len < len ? name_len : len;
    for (size_t i = 0; i < 2; i++) {
        if (strlen(names[i]) == name_len && text_equal_nocase_n(host, names[i], name_len)) {
            return true;
        }
    }
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == name_len;
}

static enum ekm_rc endpoint_absent(struct call *call, const char *why)
{
    return call_fail(call, EKM_IDENTITY_NO_SOURCE, "%s", why);
}

/* Writes the URL `value` of the variable `name`. If `path` is not empty, it replaces the path. */
static enum ekm_rc endpoint_use(struct call *call, const char *name, const char *value,
                                const char *path, struct buf *url)
{
    if (!identity_endpoint_is_valid(value)) {
        return call_fail(call, EKM_IDENTITY_NO_SOURCE, "%s is not http://host[:port][/path]", name);
    }
    size_t len = strlen(value), host_len;
    const char *host = endpoint_host(value, &host_len);
    bool bare = host[host_len] == '\0' || host[host_len + 1] == '\0';
    if (path[0] != '\0' || bare) {
        len = (size_t)(host - value) + host_len;
    }
    enum ekm_rc rc = buf_append(url, value, len);
    if (rc != EKM_OK) {
        return rc;
    }
    return buf_append_text(url, path[0] == '\0' && bare ? "/" : path);
}

static enum ekm_rc endpoint_imds(struct call *call, struct token_request *request)
{
    char host[ENDPOINT_CAP];
    size_t len = plat_environment("AZURE_POD_IDENTITY_AUTHORITY_HOST", host, sizeof host);
    if (len == 0) {
        return buf_append_text(&request->url, IMDS_DEFAULT);
    }
    return endpoint_use(call, "AZURE_POD_IDENTITY_AUTHORITY_HOST", host, IMDS_PATH, &request->url);
}

/* Uses only an agent on this machine, because the content of the key file must not be sent anywhere
 * else. */
static enum ekm_rc endpoint_arc(struct call *call, const struct surroundings *around,
                                struct token_request *request)
{
    if (around->endpoint_len == 0 || !around->has_imds_endpoint || around->header_len > 0) {
        return buf_append_text(&request->url, ARC_DEFAULT);
    }
    if (!identity_endpoint_is_loopback(around->endpoint)) {
        return endpoint_absent(call,
                               "IDENTITY_ENDPOINT of Azure Arc is not an address of this machine");
    }
    return endpoint_use(call, "IDENTITY_ENDPOINT", around->endpoint, "", &request->url);
}

static bool endpoint_is_header_value(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~') {
            return false;
        }
    }
    return text[0] != '\0';
}

static enum ekm_rc endpoint_app_service(struct call *call, const struct surroundings *around,
                                        struct token_request *request)
{
    if (around->endpoint_len == 0 || around->header_len == 0) {
        return endpoint_absent(call, "the process has no IDENTITY_ENDPOINT and IDENTITY_HEADER");
    }
    if (around->is_service_fabric) {
        return endpoint_absent(call, "IDENTITY_SERVER_THUMBPRINT is set: Service Fabric is not "
                                     "supported");
    }
    if (!endpoint_is_header_value(around->header)) {
        return endpoint_absent(call, "IDENTITY_HEADER is too long or not a valid header value");
    }
    enum ekm_rc rc = endpoint_use(call, "IDENTITY_ENDPOINT", around->endpoint, "", &request->url);
    if (rc != EKM_OK) {
        return rc;
    }
    return buf_append_format(&request->header, "X-IDENTITY-HEADER: %s", around->header);
}

static enum ekm_rc endpoint_write_base(struct call *call, const struct surroundings *around,
                                       struct token_request *request)
{
    switch (request->source) {
    case IDENTITY_SOURCE_APP_SERVICE:
        return endpoint_app_service(call, around, request);
    case IDENTITY_SOURCE_ARC:
        return endpoint_arc(call, around, request);
    default:
        return endpoint_imds(call, request);
    }
}

static enum ekm_rc endpoint_write_query(const char *resource, struct token_request *request)
{
    static const char *const versions[IDENTITY_SOURCE_COUNT] = {
        [IDENTITY_SOURCE_IMDS] = "2018-02-01",
        [IDENTITY_SOURCE_ARC] = "2020-06-01",
        [IDENTITY_SOURCE_APP_SERVICE] = "2019-08-01",
    };
    static const char *const selectors[] = {
        [IDENTITY_BY_CLIENT_ID] = "&client_id=",
        [IDENTITY_BY_OBJECT_ID] = "&object_id=",
        [IDENTITY_BY_RESOURCE_ID] = "&msi_res_id=",
    };
    const struct sign_in *who = request->who;
    enum ekm_rc rc =
        buf_append_format(&request->url, "?api-version=%s&resource=", versions[request->source]);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = url_escape(resource, strlen(resource), &request->url);
    if (rc != EKM_OK || who->selector == IDENTITY_OF_MACHINE) {
        return rc;
    }
    bool renamed =
        who->selector == IDENTITY_BY_RESOURCE_ID && request->source == IDENTITY_SOURCE_APP_SERVICE;
    rc = buf_append_text(&request->url, renamed ? "&mi_res_id=" : selectors[who->selector]);
    if (rc != EKM_OK) {
        return rc;
    }
    return url_escape(who->name, strlen(who->name), &request->url);
}

static void endpoint_describe(struct call *call, const struct token_request *request)
{
    char detail[32];
    (void)text_format(detail, sizeof detail, "source=%s", identity_source_name(request->source));
    sign_in_describe(request->who, detail, call->sign_in, sizeof call->sign_in);
}

/* Makes the HTTP request from the URL and the header. */
static void endpoint_fill_request(struct token_request *request)
{
    size_t host_len;
    const char *host = endpoint_host(buf_text(&request->url), &host_len);
    (void)text_copy_n(request->host, sizeof request->host, host, host_len);
    bool has_header = request->source == IDENTITY_SOURCE_APP_SERVICE;
    request->http =
        (struct http_request){.method = HTTP_GET,
                              .url = buf_text(&request->url),
                              .host = request->host,
                              .header = has_header ? buf_text(&request->header) : "Metadata: true",
                              .local = true};
}

enum ekm_rc identity_endpoint_request(struct call *call, const char *resource,
                                      struct token_request *request)
{
    struct surroundings around;
    endpoint_look_around(&around);
    request->source = endpoint_pick_source(call, &around);
    endpoint_describe(call, request);
    enum ekm_rc rc = endpoint_write_base(call, &around, request);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = endpoint_write_query(resource, request);
    if (rc != EKM_OK) {
        goto out;
    }
    endpoint_fill_request(request);
out:
    plat_wipe(around.header, sizeof around.header);
    if (rc != EKM_OK && rc != EKM_IDENTITY_NO_SOURCE) {
        rc = call_fail(call, rc, "the token request");
    }
    return rc;
}
