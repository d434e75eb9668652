#include "vault/workload_proxy.h"

#include <string.h>

#include "base/text.h"
#include "base/whole_file.h"
#include "platform/default_paths.h"

#include "platform/system.h"
#include "vault/identity_endpoint.h"

#define CA_MAX        65536
#define CA_DATA_CAP   16384
#define EMPTY_TRIES   5
#define EMPTY_WAIT_MS 100

static enum ekm_rc workload_proxy_fail(struct call *call, const char *why)
{
    return call_fail(call, EKM_WORKLOAD_SETTINGS, "%s", why);
}

static bool workload_proxy_is_set(const char *name)
{
    char ignored[2];
    return plat_environment(name, ignored, sizeof ignored) > 0;
}

static enum ekm_rc workload_proxy_read_file(struct call *call, const char *path, struct buf *out)
{
    if (buf_reserve(out, CA_MAX) != EKM_OK) {
        return call_fail(call, EKM_OUT_OF_MEMORY, "the authorities of the token proxy");
    }
    enum plat_io io = whole_file_read(path, PLAT_TRUST_ANY_LINKED, CA_MAX, out);
    return io == PLAT_IO_OK
               ? EKM_OK
               : call_fail(call, EKM_WORKLOAD_SETTINGS, "%.180s: %s", path, plat_io_text(io));
}

/* Reads the file of authorities, several times if need be: during a renewal it is empty for a
 * moment. */
static enum ekm_rc workload_proxy_file(struct call *call, struct buf *out)
{
    char path[1024];
    (void)plat_environment("AZURE_KUBERNETES_CA_FILE", path, sizeof path);
    if (!default_paths_is_absolute(path)) {
        return workload_proxy_fail(call, "AZURE_KUBERNETES_CA_FILE is not an absolute path");
    }
    for (int i = 0; i < EMPTY_TRIES; i++) {
        enum ekm_rc rc = workload_proxy_read_file(call, path, out);
        if (rc != EKM_OK || out->len > 0) {
            return rc;
        }
        rc = call_sleep(call, EMPTY_WAIT_MS);
        if (rc != EKM_OK) {
            return rc;
        }
    }
    return workload_proxy_fail(call, "AZURE_KUBERNETES_CA_FILE is empty");
}

static enum ekm_rc workload_proxy_authorities(struct call *call, struct token_request *request)
{
    struct buf *out = &request->authorities;
    bool file = workload_proxy_is_set("AZURE_KUBERNETES_CA_FILE");
    bool data = workload_proxy_is_set("AZURE_KUBERNETES_CA_DATA");
    if (file && data) {
        return workload_proxy_fail(call, "AZURE_KUBERNETES_CA_FILE and _CA_DATA are both set");
    }
    if (file) {
        return workload_proxy_file(call, out);
    }
    if (data) {
        if (buf_reserve(out, CA_DATA_CAP) != EKM_OK) {
            return call_fail(call, EKM_OUT_OF_MEMORY, "the authorities of the token proxy");
        }
        out->len = plat_environment("AZURE_KUBERNETES_CA_DATA", (char *)out->data, CA_DATA_CAP);
        out->len = out->len < CA_DATA_CAP ? out->len : 0;
        if (out->len == 0) {
            return workload_proxy_fail(call, "AZURE_KUBERNETES_CA_DATA is too long");
        }
    }
    return EKM_OK;
}

/* The parts of https://HOST[:PORT][/PATH]. */
struct proxy_url {
    const char *host, *path;
    int host_len, port_len;
    const char *port;
};

static bool workload_proxy_split(const char *url, struct proxy_url *out)
{
    if (!identity_endpoint_is_valid(url) || !text_equal_nocase_n(url, "https://", 8)) {
        return false;
    }
    out->host = url + 8;
    const char *end = out->host + strcspn(out->host, "/");
    const char *colon =
        *out->host == '[' ? strchr(out->host, ']') + 1 : out->host + strcspn(out->host, ":/");
    bool has_port = *colon == ':';
    out->host_len = (int)(colon - out->host);
    out->port = has_port ? colon + 1 : "443";
    out->port_len = has_port ? (int)(end - colon - 1) : 3;
    out->path = end;
    return true;
}

static enum ekm_rc workload_proxy_write(struct token_request *request, const struct proxy_url *to,
                                        const char *sni)
{
    size_t path_len = strlen(to->path);
    path_len -= path_len > 0 && to->path[path_len - 1] == '/';
    buf_clear(&request->url);
    enum ekm_rc rc =
        buf_append_format(&request->url, "https://%s:%.*s%.*s/%s/oauth2/v2.0/token", sni,
                          to->port_len, to->port, (int)path_len, to->path, request->where.tenant);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = buf_append_format(&request->header, "Host: %.*s:%.*s", to->host_len, to->host,
                           to->port_len, to->port);
    if (rc != EKM_OK) {
        return rc;
    }
    return buf_append_format(&request->way, "%s:%.*s:%.*s:%.*s", sni, to->port_len, to->port,
                             to->host_len, to->host, to->port_len, to->port);
}

enum ekm_rc workload_proxy_apply(struct call *call, struct token_request *request)
{
    char url[512], sni[TEXT_HOST_CAP];
    struct proxy_url to;
    if (plat_environment("AZURE_KUBERNETES_TOKEN_PROXY", url, sizeof url) == 0) {
        bool rest = workload_proxy_is_set("AZURE_KUBERNETES_SNI_NAME") ||
                    workload_proxy_is_set("AZURE_KUBERNETES_CA_FILE") ||
                    workload_proxy_is_set("AZURE_KUBERNETES_CA_DATA");
        return rest ? workload_proxy_fail(call, "AZURE_KUBERNETES_TOKEN_PROXY is not set, although "
                                                "its SNI or CA is")
                    : EKM_OK;
    }
    if (!workload_proxy_split(url, &to)) {
        return workload_proxy_fail(call, "AZURE_KUBERNETES_TOKEN_PROXY is not https://host");
    }
    if (plat_environment("AZURE_KUBERNETES_SNI_NAME", sni, sizeof sni) == 0) {
        (void)text_copy_n(sni, sizeof sni, to.host, (size_t)to.host_len);
    } else if (!text_is_name(sni, ".-", sizeof sni - 1)) {
        return workload_proxy_fail(call, "AZURE_KUBERNETES_SNI_NAME is not a host");
    }
    enum ekm_rc rc = workload_proxy_authorities(call, request);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = workload_proxy_write(request, &to, sni);
    if (rc != EKM_OK) {
        return call_fail(call, rc, "the request to the token proxy");
    }
    request->detour.connect_to = buf_text(&request->way);
    request->detour.authorities =
        request->authorities.len > 0 ? buf_text(&request->authorities) : NULL;
    (void)text_copy(request->host, sizeof request->host, sni);
    request->http.url = buf_text(&request->url);
    request->http.header = buf_text(&request->header);
    request->http.detour = &request->detour;
    return EKM_OK;
}
