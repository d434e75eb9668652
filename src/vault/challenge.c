#include "vault/challenge.h"

#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "platform/thread.h"

#define VAULTS           256
#define DOUBTED_AFTER_MS 60000

/* The parameters of a Bearer challenge that the library uses; empty: not given. */
struct parameters {
    char authorization[1024], authorization_uri[1024], resource[512], scope[512];
};

static const char *challenge_skip_chars(const char *at, const char *what)
{
    return at + strspn(at, what);
}

/* The length of a token68 or token: the text before a separator. */
static size_t word_len(const char *at)
{
    return strcspn(at, " \t,=\"");
}

/* Reads a value at `at`, quoted or not, into out. NULL: it is malformed. A value that is too long
 * cannot be valid and becomes empty. */
static const char *read_value(const char *at, char *out, size_t cap)
{
    size_t used = 0;
    if (*at != '"') {
        size_t len = strcspn(at, " \t,");
        (void)text_copy_n(out, cap, at, len < cap ? len : 0);
        return at + len;
    }
    for (at++; *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            at++;
        }
        if (used < cap) {
            out[used++] = *at;
        }
    }
    out[used < cap ? used : 0] = '\0';
    return *at == '"' ? at + 1 : NULL;
}

static void challenge_keep_parameter(struct parameters *found, const char *name, size_t len,
                                     const char *value)
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

/* Collects the parameters of every Bearer challenge; other schemes are skipped. False:
 * malformed. */
static bool challenge_collect_parameters(const char *at, struct parameters *found,
                                         bool *bearer_seen)
{
    char value[1024];
    bool in_bearer = false;
    while (*(at = challenge_skip_chars(at, " \t,")) != '\0') {
        const char *word = at;
        size_t len = word_len(at);
        if (len == 0) {
            return false;
        }
        at = challenge_skip_chars(at + len, " \t");
        if (*at != '=') {
            in_bearer = len == 6 && text_equal_nocase_n(word, "Bearer", 6);
            *bearer_seen = *bearer_seen || in_bearer;
            continue;
        }
        at = read_value(challenge_skip_chars(at + 1, " \t"), value, sizeof value);
        if (at == NULL) {
            return false;
        }
        if (in_bearer) {
            challenge_keep_parameter(found, word, len, value);
        }
    }
    return true;
}

bool challenge_is_tenant(const char *tenant)
{
    return text_is_name(tenant, ".-", CHALLENGE_TENANT_MAX) && strcmp(tenant, ".") != 0 &&
           strcmp(tenant, "..") != 0;
}

/* Reads https://HOST/TENANT[/...] without user, port, query or fragment. */
static enum ekm_rc read_authority(struct call *call, const struct vault_address *vault,
                                  const char *uri, struct challenge *out)
{
    if (strpbrk(uri, "@?#\\% \t") != NULL || !text_equal_nocase_n(uri, "https://", 8)) {
        return call_fail(call, EKM_CHALLENGE_FOREIGN, "authority is not https://host/tenant");
    }
    const char *host = uri + 8;
    size_t host_len = strcspn(host, "/");
    const char *login = text_copy_n(out->authority, sizeof out->authority, host, host_len)
                            ? address_login(call->config, vault, out->authority)
                            : NULL;
    if (login == NULL) {
        return call_fail(call, EKM_CHALLENGE_FOREIGN,
                         "authority %.100s is not an Entra host of the vault's cloud",
                         out->authority);
    }
    (void)text_copy(out->authority, sizeof out->authority, login);
    text_lower(out->authority);
    const char *tenant = host + host_len + (host[host_len] == '/');
    if (!text_copy_n(out->tenant, sizeof out->tenant, tenant, strcspn(tenant, "/")) ||
        !challenge_is_tenant(out->tenant)) {
        return call_fail(call, EKM_CHALLENGE_FOREIGN, "the authority names no tenant");
    }
    return EKM_OK;
}

/* The resource must be https and exactly the host of the vault's own service, so that the library
 * never requests a token for another service. */
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
    if (!challenge_collect_parameters(authenticate, &found, &bearer_seen)) {
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
    enum ekm_rc rc = read_authority(call, vault, authority, out);
    if (rc != EKM_OK) {
        return rc;
    }
    return read_resource(call, vault, resource, out);
}

static struct {
    struct plat_mutex mutex;
    struct place {
        char host[TEXT_HOST_CAP];
        struct challenge challenge; /* no authority: the vault has not named one */
        char hint[CHALLENGE_TENANT_MAX + 1];
        uint64_t read_ms;
    } known[VAULTS];
    size_t next; /* overwritten when a new vault finds the table full */
} memory = {.mutex = PLAT_MUTEX_INIT};

/* Under the lock: the place of this vault, or NULL. */
static struct place *place_of(const char *vault_host)
{
    for (size_t i = 0; i < VAULTS; i++) {
        if (strcmp(memory.known[i].host, vault_host) == 0) {
            return &memory.known[i];
        }
    }
    return NULL;
}

/* Under the lock: the place of this vault, or a new one. */
static struct place *place_for(const char *vault_host)
{
    struct place *place = place_of(vault_host);
    if (place == NULL) {
        place = &memory.known[memory.next];
        memory.next = (memory.next + 1) % VAULTS;
        memset(place, 0, sizeof *place);
        (void)text_copy(place->host, sizeof place->host, vault_host);
    }
    return place;
}

/* Under the lock. The authority never comes from stored data. */
static bool challenge_guess(const struct place *place, const struct vault_address *vault,
                            struct challenge *out)
{
    const char *authority = address_authority(vault);
    if (place->hint[0] == '\0' || authority == NULL) {
        return false;
    }
    (void)text_copy(out->authority, sizeof out->authority, authority);
    (void)text_copy(out->tenant, sizeof out->tenant, place->hint);
    (void)text_copy(out->resource, sizeof out->resource, vault->resource);
    return true;
}

bool challenge_recall(const struct vault_address *vault, struct challenge *out, bool *guessed)
{
    plat_mutex_lock(&memory.mutex);
    const struct place *place = place_of(vault->host);
    bool known = place != NULL && place->challenge.authority[0] != '\0';
    if (known) {
        *out = place->challenge;
    }
    *guessed = !known && place != NULL && challenge_guess(place, vault, out);
    plat_mutex_unlock(&memory.mutex);
    return known || *guessed;
}

void challenge_remember(const char *vault_host, const struct challenge *challenge)
{
    uint64_t now_ms = plat_now_ms();
    plat_mutex_lock(&memory.mutex);
    struct place *place = place_for(vault_host);
    place->challenge = *challenge;
    place->read_ms = now_ms;
    plat_mutex_unlock(&memory.mutex);
}

void challenge_doubt(const char *vault_host)
{
    uint64_t now_ms = plat_now_ms();
    plat_mutex_lock(&memory.mutex);
    struct place *place = place_of(vault_host);
    if (place != NULL && now_ms - place->read_ms > DOUBTED_AFTER_MS) {
        memset(place, 0, sizeof *place);
    }
    plat_mutex_unlock(&memory.mutex);
}

enum ekm_rc challenge_suggest(const char *vault_host, const char *tenant)
{
    if (!challenge_is_tenant(tenant)) {
        return EKM_REQUEST_REFUSED;
    }
    plat_mutex_lock(&memory.mutex);
    struct place *place = place_for(vault_host);
    (void)text_copy(place->hint, sizeof place->hint, tenant);
    plat_mutex_unlock(&memory.mutex);
    return EKM_OK;
}

bool challenge_is_news(const char *vault_host, char tenant[CHALLENGE_TENANT_MAX + 1])
{
    plat_mutex_lock(&memory.mutex);
    struct place *place = place_of(vault_host);
    bool news = place != NULL && place->challenge.authority[0] != '\0' &&
                strcmp(place->challenge.tenant, place->hint) != 0;
    if (news) {
        (void)text_copy(place->hint, sizeof place->hint, place->challenge.tenant);
        (void)text_copy(tenant, CHALLENGE_TENANT_MAX + 1, place->hint);
    }
    plat_mutex_unlock(&memory.mutex);
    return news;
}

void challenge_forget_all(void)
{
    plat_mutex_lock(&memory.mutex);
    memset(memory.known, 0, sizeof memory.known);
    memory.next = 0;
    plat_mutex_unlock(&memory.mutex);
}
