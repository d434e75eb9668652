#include "vault/workload_identity.h"

#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "base/whole_file.h"
#include "platform/default_paths.h"

#include "platform/system.h"
#include "vault/entra.h"
#include "vault/workload_proxy.h"

#define TOKEN_FILE_MAX 65536
#define FILE_PATH_CAP  1024

static enum ekm_rc workload_missing(struct call *call, const char *setting, const char *variable)
{
    return call_fail(call, EKM_WORKLOAD_SETTINGS, "neither %s nor %s in the process's environment",
                     setting, variable);
}

/* The client ID comes from SECRET, else from the setting, else from the environment. */
static enum ekm_rc workload_client_id(struct call *call, const struct token_request *request,
                                      char out[37])
{
    char text[64];
    const char *known = request->who->client_id[0] != '\0' ? request->who->client_id
                                                           : call->config->sign_in.client_id;
    if (known[0] != '\0') {
        (void)text_copy(out, 37, known);
        return EKM_OK;
    }
    if (plat_environment("AZURE_CLIENT_ID", text, sizeof text) == 0) {
        return workload_missing(call, "federated_client_id", "AZURE_CLIENT_ID");
    }
    return uuid_read(text, strlen(text), out)
               ? EKM_OK
               : call_fail(call, EKM_WORKLOAD_SETTINGS, "AZURE_CLIENT_ID is not a client ID");
}

static enum ekm_rc workload_tenant(struct call *call, struct token_request *request)
{
    char *tenant = request->where.tenant;
    size_t cap = sizeof request->where.tenant;
    if (call->config->sign_in.tenant[0] != '\0') {
        (void)text_copy(tenant, cap, call->config->sign_in.tenant);
        return EKM_OK;
    }
    size_t len = plat_environment("AZURE_TENANT_ID", tenant, cap);
    if (len == 0) {
        return workload_missing(call, "federated_tenant", "AZURE_TENANT_ID");
    }
    return challenge_is_tenant(tenant)
               ? EKM_OK
               : call_fail(call, EKM_WORKLOAD_SETTINGS, "AZURE_TENANT_ID is not a tenant");
}

bool workload_identity_authority(const char *url, char *out, size_t cap)
{
    static const char scheme[] = "https://";
    if (!text_equal_nocase_n(url, scheme, sizeof scheme - 1)) {
        return false;
    }
    const char *host = url + sizeof scheme - 1;
    size_t len = strlen(host);
    len -= len > 0 && host[len - 1] == '/';
    if (len == 0 || !text_copy_n(out, cap, host, len) || !text_is_name(out, ".-", cap - 1)) {
        return false;
    }
    text_lower(out);
    return true;
}

/* Uses the environment's login host, else that of the vault's cloud. Like a secret, a token is sent
 * only to that cloud's hosts. */
static enum ekm_rc workload_authority(struct call *call, struct token_request *request)
{
    char url[300], named[TEXT_HOST_CAP];
    struct vault_address vault;
    memset(&vault, 0, sizeof vault);
    (void)text_copy(vault.resource, sizeof vault.resource, request->where.resource);
    bool is_set = plat_environment("AZURE_AUTHORITY_HOST", url, sizeof url) > 0;
    const char *login = is_set ? NULL : address_authority(&vault);
    if (is_set && workload_identity_authority(url, named, sizeof named)) {
        login = address_login(call->config, &vault, named);
    }
    if (login != NULL &&
        text_copy(request->where.authority, sizeof request->where.authority, login)) {
        return EKM_OK;
    }
    return call_fail(call, EKM_WORKLOAD_SETTINGS,
                     is_set ? "AZURE_AUTHORITY_HOST is not a login host of the vault's cloud"
                            : "AZURE_AUTHORITY_HOST is not set, and the vault's cloud is unknown");
}

/* Follows links, because the kubelet replaces the file by links. Does not check rights, because the
 * content is sent only to Entra. */
static enum ekm_rc workload_read_file(struct call *call, const char *path, struct buf *out)
{
    buf_clear(out);
    if (buf_reserve(out, TOKEN_FILE_MAX) != EKM_OK) {
        return call_fail(call, EKM_OUT_OF_MEMORY, "the token file");
    }
    enum plat_io io = whole_file_read(path, PLAT_TRUST_ANY_LINKED, TOKEN_FILE_MAX, out);
    if (io != PLAT_IO_OK) {
        return call_fail(call, EKM_TOKEN_FILE_UNUSABLE, "%.180s: %s", path, plat_io_text(io));
    }
    while (out->len > 0 && strchr(" \t\r\n", out->data[out->len - 1]) != NULL) {
        out->data[--out->len] = 0;
    }
    return EKM_OK;
}

/* Whether it has three parts of base64url. A half-written file usually lacks the third one. */
static bool workload_is_token(const struct buf *token)
{
    size_t dots = 0, part = 0;
    for (size_t i = 0; i < token->len; i++) {
        char c = (char)token->data[i];
        if (c == '.') {
            if (part == 0) {
                return false;
            }
            dots++;
            part = 0;
        } else if (text_is_alnum(c) || c == '-' || c == '_' || c == '=') {
            part++;
        } else {
            return false;
        }
    }
    return dots == 2 && part > 0;
}

static enum ekm_rc workload_read_once(struct call *call, const char *path, struct buf *out)
{
    enum ekm_rc rc = workload_read_file(call, path, out);
    if (rc != EKM_OK) {
        return rc;
    }
    if (!workload_is_token(out)) {
        return call_fail(call, EKM_TOKEN_FILE_UNUSABLE, "%.180s: the file holds no signed token",
                         path);
    }
    return EKM_OK;
}

static enum ekm_rc workload_read_token(struct call *call, struct buf *out)
{
    char path[FILE_PATH_CAP];
    (void)text_copy(path, sizeof path, call->config->sign_in.token_file);
    if (path[0] == '\0' && plat_environment("AZURE_FEDERATED_TOKEN_FILE", path, sizeof path) == 0) {
        return workload_missing(call, "federated_token_file", "AZURE_FEDERATED_TOKEN_FILE");
    }
    if (!default_paths_is_absolute(path)) {
        return call_fail(
            call, EKM_TOKEN_FILE_UNUSABLE,
            "AZURE_FEDERATED_TOKEN_FILE is not an absolute path of less than 1024 bytes");
    }
    /* Reads again if the content is unusable: a writer may renew the file in place. */
    for (int i = 0;; i++) {
        enum ekm_rc rc = workload_read_once(call, path, out);
        if (rc != EKM_TOKEN_FILE_UNUSABLE || i == WHOLE_FILE_TRIES) {
            return rc;
        }
        const struct call_error error = call->error;
        rc = call_sleep(call, WHOLE_FILE_WAIT_MS);
        if (rc != EKM_OK) {
            return rc;
        }
        call->error = error;
    }
}

/* Detects a renewed file; it is no protection against forgery. */
static uint64_t workload_mark(const struct buf *token)
{
    return fnv_add(FNV_START, token->data, token->len) | 1;
}

uint64_t workload_identity_proof(struct call *call)
{
    struct buf token = BUF_EMPTY(TOKEN_FILE_MAX);
    uint64_t proof = workload_read_token(call, &token) == EKM_OK ? workload_mark(&token) : 0;
    buf_free(&token);
    return proof;
}

enum ekm_rc workload_identity_request(struct call *call, struct token_request *request)
{
    struct buf token = BUF_EMPTY(TOKEN_FILE_MAX);
    char client_id[37] = "";
    enum ekm_rc rc = workload_client_id(call, request, client_id);
    if (rc != EKM_OK) {
        goto out;
    }
    (void)text_copy(call->client_id, sizeof call->client_id, client_id);
    rc = workload_tenant(call, request);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = workload_authority(call, request);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = workload_read_token(call, &token);
    if (rc != EKM_OK) {
        goto out;
    }
    request->proof = workload_mark(&token);
    const struct entra_proof proof = {true, buf_text(&token), token.len};
    rc = entra_request(call, request, client_id, &proof);
    if (rc != EKM_OK) {
        goto out;
    }
    if (call->config->sign_in.aks_token_proxy) {
        rc = workload_proxy_apply(call, request);
    }
out:
    buf_free(&token);
    return rc;
}
