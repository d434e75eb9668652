#include "vault/arc.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/whole_file.h"
#include "net/http_retry.h"
#include "platform/default_paths.h"

#include "vault/identity_response.h"

#define KEY_MAX       4096
#define NAME_MAX_LEN  128
#define ROUNDS        4 /* the agent may replace the key file after it sent its challenge */
#define ROUND_WAIT_MS 100
#define SCHEME        "Authorization: Basic "

/* Writes a separate line into the log and the system log, regardless of the call's outcome. */
static enum ekm_rc arc_attack(struct call *call, const char *why)
{
    call_log(call, LEVEL_ERROR, "another process answers instead of the Azure Arc agent: %s", why);
    return call_fail(call, EKM_ARC_ATTACK, "%s", why);
}

/* The folder's separator. A backslash means Windows, where upper and lower case are equal. */
static char arc_separator(const char *keys)
{
    return strchr(keys, '\\') != NULL ? '\\' : '/';
}

static bool arc_is_folder(const char *path, size_t len, const char *keys)
{
    if (strlen(keys) != len || len == 0) {
        return false;
    }
    return arc_separator(keys) == '/' ? memcmp(path, keys, len) == 0
                                      : text_equal_nocase_n(path, keys, len);
}

bool arc_key_path(const char *authenticate, const char *keys, char *out, size_t cap)
{
    static const char realm[] = "Basic realm=", end[] = ".key";
    if (!text_equal_nocase_n(authenticate, realm, sizeof realm - 1) ||
        strchr(authenticate + sizeof realm - 1, '=') != NULL) {
        return false;
    }
    const char *path = authenticate + sizeof realm - 1;
    const char *name = strrchr(path, arc_separator(keys));
    if (name == NULL || !arc_is_folder(path, (size_t)(name - path), keys)) {
        return false;
    }
    name++;
    return text_is_name(name, "._-", NAME_MAX_LEN) && strlen(name) > sizeof end - 1 &&
           name[0] != '.' && text_ends_nocase(name, end) && text_copy(out, cap, path);
}

static bool arc_is_key(const struct buf *key, size_t start)
{
    for (size_t i = start; i < key->len; i++) {
        if (key->data[i] <= ' ' || key->data[i] > '~') {
            return false;
        }
    }
    return key->len > start;
}

/* Reads the key file into the header's value. EKM_NOT_FOUND, which is not set in the call: the file
 * is gone or not complete yet, and a new challenge will name the next one. */
static enum ekm_rc arc_read_key(struct call *call, const char *path, struct buf *header)
{
    enum ekm_rc rc = buf_append_text(header, SCHEME);
    if (rc != EKM_OK) {
        return call_fail(call, rc, "the key of the Azure Arc agent");
    }
    rc = buf_reserve(header, KEY_MAX + 1);
    if (rc != EKM_OK) {
        return call_fail(call, rc, "the key of the Azure Arc agent");
    }
    enum plat_io io = whole_file_read(path, PLAT_TRUST_ANY, KEY_MAX, header);
    if (io == PLAT_IO_ABSENT) {
        return EKM_NOT_FOUND;
    }
    if (io == PLAT_IO_NOT_FILE || io == PLAT_IO_TOO_BIG) {
        return arc_attack(call, io == PLAT_IO_TOO_BIG
                                    ? "its key file has more than 4096 bytes"
                                    : "its key file is a link or not a regular file");
    }
    if (io != PLAT_IO_OK) {
        return call_fail(call, EKM_ARC_KEY_UNREADABLE, "%s: %s", path, plat_io_text(io));
    }
    if (header->len == sizeof SCHEME - 1) {
        return EKM_NOT_FOUND;
    }
    return arc_is_key(header, sizeof SCHEME - 1)
               ? EKM_OK
               : arc_attack(call, "its key file has characters that a header cannot have");
}

static enum ekm_rc arc_send(struct call *call, const struct token_request *request,
                            struct http_response *response)
{
    enum ekm_rc rc = http_retry_perform(call, &request->http, response);
    if (rc != EKM_OK) {
        return identity_response_unreached(call, request, rc);
    }
    return EKM_OK;
}

/* Answers one challenge. `authenticate` may belong to `next`. EKM_NOT_FOUND: the key is gone. */
static enum ekm_rc arc_response(struct call *call, struct token_request *request,
                                const char *authenticate, struct http_response *next)
{
    char keys[1024], path[1200];
    default_paths_arc_keys(keys, sizeof keys);
    if (!arc_key_path(authenticate, keys, path, sizeof path)) {
        return arc_attack(call, "its challenge does not name a .key file in the agent's folder");
    }
    buf_clear(&request->header);
    enum ekm_rc rc = arc_read_key(call, path, &request->header);
    if (rc != EKM_OK) {
        goto out;
    }
    request->http.authorization = buf_text(&request->header);
    rc = arc_send(call, request, next);
    request->http.authorization = NULL;
out:
    buf_clear(&request->header);
    return rc;
}

static enum ekm_rc arc_judge(struct call *call, const struct token_request *request,
                             const struct http_response *response, struct token_value *out)
{
    if (response->status == 401) {
        call->error.http_status = 401;
        return call_fail(call, EKM_ARC_KEY_UNREADABLE,
                         "the agent refuses the content of its own key file");
    }
    return response->status == 200 ? identity_response_read(call, request, response, out)
                                   : identity_response_refusal(call, response);
}

enum ekm_rc arc_read(struct call *call, struct token_request *request,
                     const struct http_response *response, struct token_value *out)
{
    struct http_response next;
    enum ekm_rc rc = EKM_OK;
    bool is_keyless = true; /* the last request had no key, so a 200 does not come from the agent */
    http_response_init(&next);
    for (int round = 0;; round++) {
        if (response->status == 200 && is_keyless) {
            rc = arc_attack(call, "it gave a token without a challenge");
            break;
        }
        if (response->status != 401 || round == ROUNDS) {
            rc = arc_judge(call, request, response, out);
            break;
        }
        if (round > 0) {
            rc = call_sleep(call, ROUND_WAIT_MS);
            if (rc != EKM_OK) {
                break;
            }
        }
        rc = arc_response(call, request, response->authenticate, &next);
        is_keyless = rc == EKM_NOT_FOUND;
        if (is_keyless) {
            rc = arc_send(call, request, &next);
        }
        if (rc != EKM_OK) {
            break;
        }
        response = &next;
    }
    http_response_free(&next);
    return rc;
}
