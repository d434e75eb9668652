#include "fake_vault.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/text.h"
#include "vault/vault_request.h"

/* The functions that replace vault_*, by the linker's --wrap. */
enum ekm_rc __wrap_vault_authenticate(struct call *call, const struct vault *vault);
enum ekm_rc __wrap_vault_get_key(struct call *call, const struct vault *vault,
                                 const struct key_id *key, struct vault_key *out);
enum ekm_rc __wrap_vault_wrap(struct call *call, const struct vault *vault,
                              const struct key_id *key, enum rsa_algorithm algorithm,
                              const uint8_t *plain, size_t len, struct buf *value);
enum ekm_rc __wrap_vault_unwrap(struct call *call, const struct vault *vault,
                                const struct key_id *key, enum rsa_algorithm algorithm,
                                const uint8_t *wrapped, size_t len, struct buf *value);
enum ekm_rc __wrap_vault_list_keys(struct call *call, const struct vault *vault,
                                   vault_key_visitor visit, void *context);
enum ekm_rc __wrap_vault_list_versions(struct call *call, const struct vault *vault,
                                       const char *name, vault_key_visitor visit, void *context);
enum ekm_rc __wrap_vault_list_keys_page(struct call *call, const struct vault *vault,
                                        vault_key_visitor visit, void *context, struct buf *next);
enum ekm_rc __wrap_vault_request_try_all(struct call *call, const struct vault *vault,
                                         struct http_request *requests, struct http_item *items,
                                         size_t count, bool *tried);
enum ekm_rc __wrap_vault_create_key(struct call *call, const struct vault *vault, const char *name,
                                    uint32_t bits, struct vault_key *out);
enum ekm_rc __wrap_vault_delete_key(struct call *call, const struct vault *vault, const char *name);
enum ekm_rc __wrap_http_start(const struct config *config, char *reason, size_t reason_cap);
void __wrap_http_stop(void);

struct fake_key fake_keys[64];
size_t fake_key_count;
struct fake_counts fake_counts;
atomic_int fake_get_fails, fake_unwrap_fails, fake_wrap_fails, fake_list_fails, fake_versions_fail;
size_t fake_page_size;
void (*fake_before_request)(const char *what, const struct key_id *key);
bool fake_implicit_rejection;
atomic_uint fake_delay_ms;
atomic_bool fake_stubborn;
enum ekm_rc fake_http_start_rc;
atomic_int fake_http_running;

void fake_reset_counts(void)
{
    atomic_uint *const all[] = {&fake_counts.get,           &fake_counts.wrap,
                                &fake_counts.unwrap,        &fake_counts.list,
                                &fake_counts.list_versions, &fake_counts.create,
                                &fake_counts.delete,        &fake_counts.authenticate};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        atomic_store(all[i], 0);
    }
}

unsigned fake_requests(void)
{
    return fake_counts.get + fake_counts.wrap + fake_counts.unwrap + fake_counts.list +
           fake_counts.list_versions + fake_counts.create + fake_counts.delete;
}

void fake_reset(void)
{
    memset(fake_keys, 0, sizeof fake_keys);
    fake_key_count = 0;
    fake_reset_counts();
    atomic_store(&fake_get_fails, EKM_OK);
    atomic_store(&fake_unwrap_fails, EKM_OK);
    atomic_store(&fake_wrap_fails, EKM_OK);
    atomic_store(&fake_list_fails, EKM_OK);
    atomic_store(&fake_versions_fail, EKM_OK);
    fake_page_size = 0;
    fake_before_request = NULL;
    fake_implicit_rejection = false;
    atomic_store(&fake_delay_ms, 0);
    atomic_store(&fake_stubborn, false);
    fake_http_start_rc = EKM_OK;
}

struct fake_key *fake_add(const char *name, const char *version, uint8_t seed)
{
    struct fake_key *key = &fake_keys[fake_key_count++];
    memset(key, 0, sizeof *key);
    key->host = FAKE_HOST;
    key->name = name;
    key->version = version;
    key->bits = 2048;
    key->seed = seed;
    key->purge_protected = true;
    return key;
}

void fake_public(const struct fake_key *key, struct rsa_public *out)
{
    uint32_t state = key->seed * 2654435761u + 1;
    memset(out, 0, sizeof *out);
    out->bits = key->bits;
    out->exponent = 65537;
    for (size_t i = 0; i < key->bits / 8; i++) {
        state = state * 1664525u + 1013904223u;
        out->modulus[i] = (uint8_t)(state >> 24);
    }
    out->modulus[0] |= 0x80;
    out->modulus[key->bits / 8 - 1] |= 1;
}

void fake_thumbprint(const struct fake_key *key, struct thumbprint *out)
{
    struct rsa_public public;
    fake_public(key, &public);
    if (rsa_public_thumbprint(&public, out) != EKM_OK) {
        memset(out, 0, sizeof *out);
    }
}

/* algorithm, seed, length, plain text; the rest zero. */
void fake_wrapped(const struct fake_key *key, enum rsa_algorithm algorithm, const void *plain,
                  size_t len, uint8_t out[RSA_MAX_BYTES])
{
    memset(out, 0, RSA_MAX_BYTES);
    out[0] = (uint8_t)algorithm;
    out[1] = key->seed;
    out[2] = (uint8_t)len;
    memcpy(out + 3, plain, len);
}

static struct fake_key *fake_vault_find(const struct vault *vault, const struct key_id *name)
{
    struct fake_key *found = NULL;
    for (size_t i = 0; i < fake_key_count; i++) {
        struct fake_key *key = &fake_keys[i];
        if (strcmp(key->host, vault->address.host) == 0 && !key->gone &&
            text_equal_nocase(key->name, name->name) &&
            (name->version[0] == '\0' || text_equal_nocase(key->version, name->version))) {
            found = key;
        }
    }
    return found;
}

static void fake_vault_fill(const struct fake_key *key, struct vault_key *out)
{
    memset(out, 0, sizeof *out);
    (void)text_copy(out->id.name, sizeof out->id.name, key->name);
    (void)text_copy(out->id.version, sizeof out->id.version, key->version);
    out->is_rsa = !key->not_rsa;
    out->usable_size = key->bits == 2048 || key->bits == 3072 || key->bits == 4096;
    fake_public(key, &out->public);
    out->enabled = !key->disabled;
    out->managed = key->managed;
    out->purge_protected = key->purge_protected;
    out->can_wrap = !key->no_wrap;
    out->can_unwrap = true;
    out->not_before_s = key->not_before_s;
    out->expires_s = key->expires_s;
    out->created_s = key->created_s;
}

static void fake_vault_before(const char *what, const struct key_id *key)
{
    if (fake_before_request != NULL) {
        fake_before_request(what, key);
    }
}

/* One request: counted, delayed, and failed if the test says so. */
static enum ekm_rc fake_vault_request(struct call *call, atomic_uint *count, atomic_int *fails)
{
    atomic_fetch_add(count, 1);
    /* As curl does when it connects and reads. */
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 1);
    enum ekm_rc rc = call_check(call);
    unsigned delay_ms = atomic_load(&fake_delay_ms);
    while (atomic_load(&fake_stubborn)) {
        usleep(10000);
    }
    if (rc == EKM_OK && delay_ms > 0) {
        rc = call_sleep(call, delay_ms);
    }
    if (rc == EKM_OK) {
        rc = call_check(call);
    }
    if (rc == EKM_OK && fails != NULL && atomic_load(fails) != EKM_OK) {
        rc = call_fail(call, (enum ekm_rc)atomic_load(fails), "scripted");
    }
    return rc;
}

enum ekm_rc __wrap_vault_authenticate(struct call *call, const struct vault *vault)
{
    (void)vault;
    return fake_vault_request(call, &fake_counts.authenticate, NULL);
}

enum ekm_rc __wrap_vault_get_key(struct call *call, const struct vault *vault,
                                 const struct key_id *key, struct vault_key *out)
{
    fake_vault_before("get", key);
    enum ekm_rc rc = fake_vault_request(call, &fake_counts.get, &fake_get_fails);
    const struct fake_key *found = fake_vault_find(vault, key);
    if (rc == EKM_OK && found == NULL) {
        rc = call_fail(call, EKM_KEY_NOT_FOUND, "scripted");
    }
    if (rc == EKM_OK) {
        fake_vault_fill(found, out);
    }
    return rc;
}

enum ekm_rc __wrap_vault_wrap(struct call *call, const struct vault *vault,
                              const struct key_id *key, enum rsa_algorithm algorithm,
                              const uint8_t *plain, size_t len, struct buf *value)
{
    uint8_t wrapped[RSA_MAX_BYTES];
    enum ekm_rc rc = fake_vault_request(call, &fake_counts.wrap, &fake_wrap_fails);
    const struct fake_key *found = fake_vault_find(vault, key);
    if (rc == EKM_OK && found == NULL) {
        rc = call_fail(call, EKM_KEY_NOT_FOUND, "scripted");
    }
    if (rc != EKM_OK) {
        return rc;
    }
    fake_wrapped(found, algorithm, plain, len, wrapped);
    buf_clear(value);
    return buf_append(value, wrapped, found->bits / 8);
}

enum ekm_rc __wrap_vault_unwrap(struct call *call, const struct vault *vault,
                                const struct key_id *key, enum rsa_algorithm algorithm,
                                const uint8_t *wrapped, size_t len, struct buf *value)
{
    enum ekm_rc rc = fake_vault_request(call, &fake_counts.unwrap, &fake_unwrap_fails);
    const struct fake_key *found = fake_vault_find(vault, key);
    if (rc == EKM_OK && found == NULL) {
        rc = call_fail(call, EKM_KEY_NOT_FOUND, "scripted");
    } else if (rc == EKM_OK && found->disabled) {
        rc = call_fail(call, EKM_KEY_DISABLED, "scripted");
    }
    if (rc != EKM_OK) {
        return rc;
    }
    buf_clear(value);
    if (wrapped[0] == (uint8_t)algorithm && wrapped[1] == found->seed && len == found->bits / 8) {
        return buf_append(value, wrapped + 3, wrapped[2]);
    }
    return algorithm == RSA1_5 && fake_implicit_rejection
               ? buf_append(value, "garbage", 7)
               : call_fail(call, EKM_UNWRAP_REFUSED, "scripted");
}

/* The items from number `from` on, at most `most`; *next_item: the one to go on with, 0 for none.
 */
static void list_items(const struct vault *vault, vault_key_visitor visit, void *context,
                       size_t from, size_t most, size_t *next_item)
{
    *next_item = 0;
    for (size_t i = from, given = 0; i < fake_key_count; i++) {
        struct vault_key key;
        struct key_id name = {"", ""};
        (void)text_copy(name.name, sizeof name.name, fake_keys[i].name);
        if (fake_vault_find(vault, &name) != &fake_keys[i]) {
            continue;
        }
        if (given++ == most) {
            *next_item = i;
            return;
        }
        fake_vault_fill(&fake_keys[i], &key);
        memset(&key.public, 0, sizeof key.public);
        key.id.version[0] = '\0';
        if (!visit(context, &key)) {
            return;
        }
    }
}

enum ekm_rc __wrap_vault_list_keys(struct call *call, const struct vault *vault,
                                   vault_key_visitor visit, void *context)
{
    size_t next_item = 0;
    enum ekm_rc rc = fake_vault_request(call, &fake_counts.list, &fake_list_fails);
    if (rc == EKM_OK) {
        list_items(vault, visit, context, 0, SIZE_MAX, &next_item);
    }
    return rc;
}

/* The link is the number of the next item, as text; any other is refused. */
enum ekm_rc __wrap_vault_list_keys_page(struct call *call, const struct vault *vault,
                                        vault_key_visitor visit, void *context, struct buf *next)
{
    uint64_t from = 0;
    size_t next_item = 0;
    fake_vault_before("list", NULL);
    enum ekm_rc rc = fake_vault_request(call, &fake_counts.list, &fake_list_fails);
    if (rc == EKM_OK && next->len > 0 && !text_to_u64(buf_text(next), 63, &from)) {
        rc = call_fail(call, EKM_REQUEST_REFUSED, "scripted");
    }
    if (rc == EKM_OK) {
        buf_clear(next);
        list_items(vault, visit, context, (size_t)from,
                   fake_page_size != 0 ? fake_page_size : SIZE_MAX, &next_item);
    }
    return rc == EKM_OK && next_item != 0 ? buf_append_format(next, "%zu", next_item) : rc;
}

enum ekm_rc __wrap_vault_list_versions(struct call *call, const struct vault *vault,
                                       const char *name, vault_key_visitor visit, void *context)
{
    struct key_id asked = {"", ""};
    (void)text_copy(asked.name, sizeof asked.name, name);
    fake_vault_before("versions", &asked);
    enum ekm_rc rc = fake_vault_request(call, &fake_counts.list_versions, &fake_versions_fail);
    bool go_on = rc == EKM_OK;
    if (rc == EKM_OK && fake_vault_find(vault, &asked) == NULL) {
        return call_fail(call, EKM_KEY_NOT_FOUND, "scripted");
    }
    for (size_t i = 0; go_on && i < fake_key_count; i++) {
        struct vault_key key;
        fake_vault_fill(&fake_keys[i], &key);
        memset(&key.public, 0, sizeof key.public);
        go_on = strcmp(fake_keys[i].host, vault->address.host) != 0 || fake_keys[i].gone ||
                strcmp(fake_keys[i].name, name) != 0 || visit(context, &key);
    }
    return rc;
}

/* Then each is asked for by itself. */
enum ekm_rc __wrap_vault_request_try_all(struct call *call, const struct vault *vault,
                                         struct http_request *requests, struct http_item *items,
                                         size_t count, bool *tried)
{
    (void)call;
    (void)vault;
    (void)requests;
    (void)items;
    (void)count;
    *tried = false;
    return EKM_OK;
}

enum ekm_rc __wrap_vault_create_key(struct call *call, const struct vault *vault, const char *name,
                                    uint32_t bits, struct vault_key *out)
{
    static char names[8][32];
    static size_t made;
    enum ekm_rc rc = fake_vault_request(call, &fake_counts.create, NULL);
    (void)vault;
    if (rc == EKM_OK) {
        char *kept = names[made++ % 8];
        snprintf(kept, sizeof names[0], "%s", name);
        struct fake_key *key = fake_add(kept, "c1", (uint8_t)(200 + made));
        key->bits = bits;
        fake_vault_fill(key, out);
    }
    return rc;
}

enum ekm_rc __wrap_vault_delete_key(struct call *call, const struct vault *vault, const char *name)
{
    enum ekm_rc rc = fake_vault_request(call, &fake_counts.delete, NULL);
    for (size_t i = 0; rc == EKM_OK && i < fake_key_count; i++) {
        fake_keys[i].gone |= strcmp(fake_keys[i].host, vault->address.host) == 0 &&
                             strcmp(fake_keys[i].name, name) == 0;
    }
    return rc;
}

enum ekm_rc __wrap_http_start(const struct config *config, char *reason, size_t reason_cap)
{
    (void)config;
    if (fake_http_start_rc != EKM_OK) {
        (void)text_copy(reason, reason_cap, "scripted reason");
        return fake_http_start_rc;
    }
    atomic_fetch_add(&fake_http_running, 1);
    return EKM_OK;
}

void __wrap_http_stop(void)
{
    atomic_fetch_sub(&fake_http_running, 1);
}
