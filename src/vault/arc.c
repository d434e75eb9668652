#include "vault/arc.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "net/http_retry.h"
#include "platform/default_paths.h"
#include "platform/file.h"
#include "vault/identity_answer.h"

#define KEY_MAX       4096
#define NAME_MAX_LEN  128
#define ROUNDS        4 /* the agent may replace a key between its challenge and the answer to it */
#define ROUND_WAIT_MS 100
#define SCHEME        "Authorization: Basic "

/* A line of its own in log and system log, whatever the outcome of the call. */
static enum ekm_rc arc_attack(struct call *call, const char *why)
{
    call_log(call, LEVEL_ERROR, "another process answers instead of the Azure Arc agent: %s", why);
    return call_fail(call, EKM_ARC_ATTACK, "%s", why);
}

/* On Windows, which the folder's separators show, upper and lower case are the same. */
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

/* Reads the file into the header's value. EKM_NOT_FOUND, not set in the call: it is gone or not
 * complete yet; a new challenge names the next file. */
static enum ekm_rc arc_read_key(struct call *call, const char *path, struct buf *header)
{
    struct plat_file_state state;
    int handle = -1;
    size_t len = 0;
    enum ekm_rc rc = buf_append_text(header, SCHEME);
    rc = rc == EKM_OK ? buf_reserve(header, KEY_MAX + 1) : rc;
    if (rc != EKM_OK) {
        return call_fail(call, rc, "the key of the Azure Arc agent");
    }
    enum plat_io io = plat_file_open(path, PLAT_TRUST_ANY, &handle, &state);
    if (io == PLAT_IO_OK) {
        io = plat_file_read(handle, header->data + header->len, KEY_MAX, &len);
    }
    plat_file_close(&handle);
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
    header->len += len;
    header->data[header->len] = 0;
    if (len == 0) {
        return EKM_NOT_FOUND;
    }
    return arc_is_key(header, sizeof SCHEME - 1)
               ? EKM_OK
               : arc_attack(call, "its key file has characters that a header cannot have");
}

/* One challenge answered; `authenticate` may be of `next`. EKM_NOT_FOUND: its key is gone. */
static enum ekm_rc arc_answer(struct call *call, struct token_request *request,
                              const char *authenticate, struct http_response *next)
{
    char keys[1024], path[1200];
    default_paths_arc_keys(keys, sizeof keys);
    if (!arc_key_path(authenticate, keys, path, sizeof path)) {
        return arc_attack(call, "its challenge does not name a .key file in the agent's folder");
    }
    buf_clear(&request->header);
    enum ekm_rc rc = arc_read_key(call, path, &request->header);
    if (rc == EKM_OK) {
        request->http.authorization = buf_text(&request->header);
        rc = http_retry_perform(call, &request->http, next);
        request->http.authorization = NULL;
        rc = rc == EKM_OK ? rc : identity_answer_unreached(call, request, rc);
    }
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
    return response->status == 200 ? identity_answer_read(call, request, response, out)
                                   : identity_answer_refusal(call, response);
}

enum ekm_rc arc_read(struct call *call, struct token_request *request,
                     const struct http_response *response, struct token_value *out)
{
    struct http_response next;
    enum ekm_rc rc = EKM_OK;
    bool is_keyless = true; /* the last request carried no key, so a 200 is not the agent's */
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
        rc = round == 0 ? EKM_OK : call_sleep(call, ROUND_WAIT_MS);
        rc = rc == EKM_OK ? arc_answer(call, request, response->authenticate, &next) : rc;
        is_keyless = rc == EKM_NOT_FOUND;
        if (is_keyless) {
            rc = http_retry_perform(call, &request->http, &next);
            rc = rc == EKM_OK ? rc : identity_answer_unreached(call, request, rc);
        }
        if (rc != EKM_OK) {
            break;
        }
        response = &next;
    }
    http_response_free(&next);
    return rc;
}
