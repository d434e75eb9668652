#include "vault/challenge.h"

#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "platform/thread.h"

#define TENANT_MAX       64
#define VAULTS           256
#define DOUBTED_AFTER_MS 60000

/* What a Bearer challenge may say of interest; empty: it does not. */
struct parameters {
    char authorization[1024], authorization_uri[1024], resource[512], scope[512];
};

static const char *skip(const char *at, const char *what)
{
    return at + strspn(at, what);
}

/* A token68 or token: what stands before a separator. */
static size_t word_len(const char *at)
{
    return strcspn(at, " \t,=\"");
}

/* Reads a value at `at`, quoted or not, into out; NULL if it is malformed or too long. */
static const char *read_value(const char *at, char *out, size_t cap)
{
    size_t used = 0;
    if (*at != '"') {
        size_t len = strcspn(at, " \t,");
        return text_copy_n(out, cap, at, len) ? at + len : NULL;
    }
    for (at++; *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            at++;
        }
        if (used + 1 >= cap) {
            return NULL;
        }
        out[used++] = *at;
    }
    out[used] = '\0';
    return *at == '"' ? at + 1 : NULL;
}

static void keep(struct parameters *found, const char *name, size_t len, const char *value)
{
    static const struct {
        const char *name;
        size_t offset, cap;
    } known[] = {
        {"authorization", offsetof(struct parameters, authorization), 1024},
        {"authorization_uri", offsetof(struct parameters, authorization_uri), 1024},
        {"resource", offsetof(struct parameters, resource), 512},
        {"scope", offsetof(struct parameters, scope), 512},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char *field = (char *)found + known[i].offset;
        if (strlen(known[i].name) == len && text_equal_nocase_n(known[i].name, name, len) &&
            field[0] == '\0') {
            (void)text_copy(field, known[i].cap, value);
        }
    }
}

/* Collects the parameters of every Bearer challenge; other schemes' are skipped. False: malformed.
 */
static bool collect(const char *at, struct parameters *found, bool *bearer_seen)
{
    char value[1024];
    bool in_bearer = false;
    while (*(at = skip(at, " \t,")) != '\0') {
        const char *word = at;
        size_t len = word_len(at);
        if (len == 0) {
            return false;
        }
        at = skip(at + len, " \t");
        if (*at != '=') {
            in_bearer = len == 6 && text_equal_nocase_n(word, "Bearer", 6);
            *bearer_seen = *bearer_seen || in_bearer;
            continue;
        }
        at = read_value(skip(at + 1, " \t"), value, sizeof value);
        if (at == NULL) {
            return false;
        }
        if (in_bearer) {
            keep(found, word, len, value);
        }
    }
    return true;
}

/* Exactly https://HOST/TENANT[/...]; no user, port, query or fragment. */
static enum ekm_rc read_authority(struct call *call, const char *uri, struct challenge *out)
{
    if (strpbrk(uri, "@?#\\% \t") != NULL || !text_equal_nocase_n(uri, "https://", 8)) {
        return call_fail(call, EKM_CHALLENGE_FOREIGN, "authority is not https://host/tenant");
    }
    const char *host = uri + 8;
    size_t host_len = strcspn(host, "/");
    if (!text_copy_n(out->authority, sizeof out->authority, host, host_len) ||
        !address_is_authority(call->config, out->authority)) {
        return call_fail(call, EKM_CHALLENGE_FOREIGN, "authority %.100s is not an Entra host",
                         out->authority);
    }
    text_lower(out->authority);
    const char *tenant = host + host_len + (host[host_len] == '/');
    if (!text_copy_n(out->tenant, sizeof out->tenant, tenant, strcspn(tenant, "/")) ||
        !text_is_name(out->tenant, ".-", TENANT_MAX) || strcmp(out->tenant, ".") == 0 ||
        strcmp(out->tenant, "..") == 0) {
        return call_fail(call, EKM_CHALLENGE_FOREIGN, "the authority names no tenant");
    }
    return EKM_OK;
}

/* https, and its host exactly that of the vault's own service: no token for another one is ever
 * asked for. */
static enum ekm_rc read_resource(struct call *call, const struct vault_address *vault,
                                 const char *uri, struct challenge *out)
{
    size_t len = strlen(uri);
    if (len >= 9 && strcmp(uri + len - 9, "/.default") == 0) {
        len -= 9;
    }
    len -= len > 0 && uri[len - 1] == '/';
    if (!text_equal_nocase_n(uri, "https://", 8) || len < 8 ||
        !text_copy_n(out->resource, sizeof out->resource, uri + 8, len - 8) ||
        !text_equal_nocase(out->resource, vault->resource)) {
        return call_fail(call, EKM_CHALLENGE_FOREIGN, "resource %.100s is not %.100s", uri,
                         vault->resource);
    }
    (void)text_copy(out->resource, sizeof out->resource, vault->resource);
    return EKM_OK;
}

enum ekm_rc challenge_parse(struct call *call, const struct vault_address *vault,
                            const char *authenticate, struct challenge *out)
{
    struct parameters found;
    bool bearer_seen = false;
    memset(&found, 0, sizeof found);
    memset(out, 0, sizeof *out);
    if (!collect(authenticate, &found, &bearer_seen)) {
        return call_fail(call, EKM_CHALLENGE_MALFORMED, "WWW-Authenticate cannot be read");
    }
    const char *authority =
        found.authorization[0] != '\0' ? found.authorization : found.authorization_uri;
    const char *resource = found.resource[0] != '\0' ? found.resource : found.scope;
    if (!bearer_seen || authority[0] == '\0') {
        return call_fail(call, EKM_CHALLENGE_MALFORMED, "WWW-Authenticate names no authority");
    }
    if (resource[0] == '\0') {
        return call_fail(call, EKM_CHALLENGE_NO_RESOURCE, NULL);
    }
    enum ekm_rc rc = read_authority(call, authority, out);
    return rc == EKM_OK ? read_resource(call, vault, resource, out) : rc;
}

static struct {
    struct plat_mutex mutex;
    struct {
        char host[254];
        struct challenge challenge;
        uint64_t read_ms;
    } known[VAULTS];
    size_t next; /* overwritten when a stranger finds the table full */
} memory = {.mutex = PLAT_MUTEX_INIT};

/* Under the lock: the place of this vault, or VAULTS. */
static size_t place_of(const char *vault_host)
{
    size_t i = 0;
    while (i < VAULTS && strcmp(memory.known[i].host, vault_host) != 0) {
        i++;
    }
    return i;
}

bool challenge_recall(const char *vault_host, struct challenge *out)
{
    plat_mutex_lock(&memory.mutex);
    size_t place = place_of(vault_host);
    bool known = place < VAULTS;
    if (known) {
        *out = memory.known[place].challenge;
    }
    plat_mutex_unlock(&memory.mutex);
    return known;
}

void challenge_remember(const char *vault_host, const struct challenge *challenge)
{
    uint64_t now_ms = plat_now_ms();
    plat_mutex_lock(&memory.mutex);
    size_t place = place_of(vault_host);
    if (place == VAULTS) {
        place = memory.next;
        memory.next = (memory.next + 1) % VAULTS;
        (void)text_copy(memory.known[place].host, sizeof memory.known[place].host, vault_host);
    }
    memory.known[place].challenge = *challenge;
    memory.known[place].read_ms = now_ms;
    plat_mutex_unlock(&memory.mutex);
}

void challenge_doubt(const char *vault_host)
{
    uint64_t now_ms = plat_now_ms();
    plat_mutex_lock(&memory.mutex);
    size_t place = place_of(vault_host);
    if (place < VAULTS && now_ms - memory.known[place].read_ms > DOUBTED_AFTER_MS) {
        memory.known[place].host[0] = '\0';
    }
    plat_mutex_unlock(&memory.mutex);
}

void challenge_forget_all(void)
{
    plat_mutex_lock(&memory.mutex);
    memset(memory.known, 0, sizeof memory.known);
    memory.next = 0;
    plat_mutex_unlock(&memory.mutex);
}
