#include "keystore.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud.h"
#include "encode.h"
#include "material.h"
#include "settings.h"

#define HSM_VERSIONS_MAX 100

struct vault {
    char host[256];
    enum vault_deny deny;
    int64_t read_only_until_ms;
};

/* One key version. A key consists of the entries with one host and name; the last one is the
 * newest. */
struct entry {
    struct key_view view;
    char *pem; /* kept, because every save writes all of them; NULL for oct */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct vault *vaults;
static size_t vault_count;
static struct entry *entries;
static size_t entry_count, entry_cap;

void key_view_free(struct key_view *view)
{
    EVP_PKEY_free(view->pkey);
    free(view->tags);
    memset(view, 0, sizeof *view);
}

static void copy_view(const struct entry *entry, struct key_view *view)
{
    *view = entry->view;
    view->tags = view->tags != NULL ? must(strdup(view->tags)) : NULL;
    if (view->pkey != NULL) {
        EVP_PKEY_up_ref(view->pkey);
    }
}

static struct vault *find_vault(const char *host)
{
    for (size_t i = 0; i < vault_count; i++) {
        if (strcasecmp(vaults[i].host, host) == 0) {
            return &vaults[i];
        }
    }
    return NULL;
}

static bool is_of(const struct entry *entry, const char *host, const char *name)
{
    return strcasecmp(entry->view.name, name) == 0 && strcasecmp(entry->view.host, host) == 0;
}

static struct entry *find_entry(const char *host, const char *name, const char *version)
{
    bool is_any = version == NULL || version[0] == '\0';
    for (size_t i = entry_count; i-- > 0;) {
        if (is_of(&entries[i], host, name) &&
            (is_any || strcasecmp(entries[i].view.version, version) == 0)) {
            return &entries[i];
        }
    }
    return NULL;
}

static bool add_vault(const char *host, enum vault_deny deny)
{
    if (find_vault(host) != NULL) {
        return false;
    }
    vaults = must(realloc(vaults, (vault_count + 1) * sizeof *vaults));
    snprintf(vaults[vault_count].host, sizeof vaults->host, "%s", host);
    for (char *c = vaults[vault_count].host; *c != '\0'; c++) {
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
    }
    vaults[vault_count].read_only_until_ms = 0;
    vaults[vault_count++].deny = deny;
    return true;
}

bool store_vault_add(const char *host)
{
    pthread_mutex_lock(&lock);
    bool is_new = add_vault(host, DENY_NONE);
    pthread_mutex_unlock(&lock);
    return is_new;
}

/* Removes the entries of a host, or of one key of it. */
static void drop_entries(const char *host, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < entry_count; i++) {
        if (strcasecmp(entries[i].view.host, host) == 0 &&
            (name == NULL || strcasecmp(entries[i].view.name, name) == 0)) {
            key_view_free(&entries[i].view);
            if (entries[i].pem != NULL) {
                OPENSSL_cleanse(entries[i].pem, strlen(entries[i].pem));
            }
            free(entries[i].pem);
        } else {
            entries[kept++] = entries[i];
        }
    }
    entry_count = kept;
}

bool store_vault_remove(const char *host)
{
    pthread_mutex_lock(&lock);
    struct vault *vault = find_vault(host);
    if (vault != NULL) {
        drop_entries(host, NULL);
        *vault = vaults[--vault_count];
    }
    pthread_mutex_unlock(&lock);
    return vault != NULL;
}

bool store_vault_deny(const char *host, enum vault_deny deny)
{
    pthread_mutex_lock(&lock);
    struct vault *vault = find_vault(host);
    if (vault != NULL) {
        vault->deny = deny;
    }
    pthread_mutex_unlock(&lock);
    return vault != NULL;
}

bool store_vault_read_only(const char *host, int64_t until_ms)
{
    pthread_mutex_lock(&lock);
    struct vault *vault = find_vault(host);
    if (vault != NULL) {
        vault->read_only_until_ms = until_ms;
    }
    pthread_mutex_unlock(&lock);
    return vault != NULL;
}

bool store_vault_is_read_only(const char *host)
{
    pthread_mutex_lock(&lock);
    const struct vault *vault = find_vault(host);
    bool is_read_only = vault != NULL && vault->read_only_until_ms > clock_ms();
    pthread_mutex_unlock(&lock);
    return is_read_only;
}

bool store_vault_find(const char *host, enum vault_deny *deny)
{
    pthread_mutex_lock(&lock);
    const struct vault *vault = find_vault(host);
    *deny = vault != NULL ? vault->deny : DENY_NONE;
    pthread_mutex_unlock(&lock);
    return vault != NULL;
}

static const char *const deny_words[] = {"none", "firewall", "connection", "nsp"};

static cJSON *vaults_to_json(void)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < vault_count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "host", vaults[i].host);
        cJSON_AddStringToObject(item, "deny", deny_words[vaults[i].deny]);
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

cJSON *store_vault_list(void)
{
    pthread_mutex_lock(&lock);
    cJSON *list = vaults_to_json();
    pthread_mutex_unlock(&lock);
    return list;
}

static enum store_rc find_copy(const char *host, const char *name, const char *version,
                               bool is_deleted, struct key_view *view)
{
    memset(view, 0, sizeof *view);
    pthread_mutex_lock(&lock);
    const struct entry *entry = find_entry(host, name, version);
    enum store_rc rc = find_vault(host) == NULL                  ? STORE_NO_VAULT
                       : entry == NULL                           ? STORE_NO_KEY
                       : entry->view.deleted != 0 && !is_deleted ? STORE_DELETED
                       : entry->view.deleted == 0 && is_deleted  ? STORE_NO_KEY
                                                                 : STORE_OK;
    if (rc == STORE_OK) {
        copy_view(entry, view);
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

enum store_rc store_find(const char *host, const char *name, const char *version,
                         struct key_view *view)
{
    return find_copy(host, name, version, false, view);
}

enum store_rc store_find_deleted(const char *host, const char *name, struct key_view *view)
{
    return find_copy(host, name, NULL, true, view);
}

static void keystore_append(const struct key_view *view, char *pem)
{
    if (entry_count == entry_cap) {
        entry_cap = entry_cap * 2 + 16;
        entries = must(realloc(entries, entry_cap * sizeof *entries));
    }
    entries[entry_count].view = *view;
    entries[entry_count].view.tags = view->tags != NULL ? must(strdup(view->tags)) : NULL;
    entries[entry_count].pem = pem;
    if (view->pkey != NULL) {
        EVP_PKEY_up_ref(view->pkey);
    }
    entry_count++;
}

static size_t count_versions(const char *host, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < entry_count; i++) {
        count += is_of(&entries[i], host, name) ? 1 : 0;
    }
    return count;
}

enum store_rc store_add(struct key_view *view)
{
    char *pem = view->pkey != NULL ? material_to_pem(view->pkey) : NULL;
    if (view->version[0] == '\0') {
        hex_random(view->version, 16);
    }
    pthread_mutex_lock(&lock);
    const struct vault *vault = find_vault(view->host);
    const struct entry *newest = find_entry(view->host, view->name, NULL);
    enum store_rc rc =
        vault == NULL                                               ? STORE_NO_VAULT
        : newest != NULL && newest->view.deleted != 0               ? STORE_DELETED
        : find_entry(view->host, view->name, view->version) != NULL ? STORE_EXISTS
        : cloud_is_hsm(view->host) && count_versions(view->host, view->name) >= HSM_VERSIONS_MAX
            ? STORE_FULL
            : STORE_OK;
    if (rc == STORE_OK) {
        snprintf(view->host, sizeof view->host, "%s", vault->host);
        if (newest != NULL) {
            memcpy(view->name, newest->view.name, sizeof view->name);
        }
        keystore_append(view, pem);
        pem = NULL;
    }
    pthread_mutex_unlock(&lock);
    free(pem);
    return rc;
}

enum store_rc store_change(struct key_view *view)
{
    pthread_mutex_lock(&lock);
    struct entry *entry = find_entry(view->host, view->name, view->version);
    if (entry != NULL) {
        entry->view.enabled = view->enabled;
        entry->view.managed = view->managed;
        entry->view.is_purgeable = view->is_purgeable;
        entry->view.nbf = view->nbf;
        entry->view.exp = view->exp;
        entry->view.ops = view->ops;
        free(entry->view.tags);
        entry->view.tags = view->tags != NULL ? must(strdup(view->tags)) : NULL;
        entry->view.updated = view->updated = clock_service();
    }
    pthread_mutex_unlock(&lock);
    return entry != NULL ? STORE_OK : STORE_NO_KEY;
}

static enum store_rc keystore_mark(const char *host, const char *name, bool was_deleted,
                                   int64_t deleted)
{
    enum store_rc rc = STORE_NO_KEY;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < entry_count; i++) {
        if (is_of(&entries[i], host, name) && (entries[i].view.deleted != 0) == was_deleted) {
            entries[i].view.deleted = deleted;
            rc = STORE_OK;
        }
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

enum store_rc store_delete(const char *host, const char *name)
{
    return keystore_mark(host, name, false, clock_service());
}

enum store_rc store_recover(const char *host, const char *name)
{
    return keystore_mark(host, name, true, 0);
}

enum store_rc store_purge(const char *host, const char *name)
{
    pthread_mutex_lock(&lock);
    const struct entry *entry = find_entry(host, name, NULL);
    bool is_deleted = entry != NULL && entry->view.deleted != 0;
    if (is_deleted) {
        drop_entries(host, name);
    }
    pthread_mutex_unlock(&lock);
    return is_deleted ? STORE_OK : STORE_NO_KEY;
}

static int by_name(const void *a, const void *b)
{
    const struct entry *const *one = a, *const *other = b;
    return strcasecmp((*one)->view.name, (*other)->view.name);
}

static int by_version(const void *a, const void *b)
{
    const struct entry *const *one = a, *const *other = b;
    return strcasecmp((*one)->view.version, (*other)->view.version);
}

static bool is_listed(const struct entry *entry, enum store_list what, const char *host,
                      const char *name, const char *after)
{
    if (strcasecmp(entry->view.host, host) != 0 ||
        (entry->view.deleted != 0) != (what == LIST_DELETED)) {
        return false;
    }
    if (what == LIST_VERSIONS) {
        return strcasecmp(entry->view.name, name) == 0 &&
               strcasecmp(entry->view.version, after) > 0;
    }
    return find_entry(host, entry->view.name, NULL) == entry &&
           strcasecmp(entry->view.name, after) > 0;
}

enum store_rc store_list(enum store_list what, const char *host, const char *name,
                         const char *after, struct key_view *views, size_t max, size_t *count,
                         bool *is_more)
{
    size_t found = 0;
    pthread_mutex_lock(&lock);
    const struct entry **list = must(calloc(entry_count + 1, sizeof *list));
    for (size_t i = 0; i < entry_count; i++) {
        if (is_listed(&entries[i], what, host, name, after)) {
            list[found++] = &entries[i];
        }
    }
    qsort(list, found, sizeof *list, what == LIST_VERSIONS ? by_version : by_name);
    *is_more = found > max;
    *count = *is_more ? max : found;
    for (size_t i = 0; i < *count; i++) {
        copy_view(list[i], &views[i]);
    }
    free(list);
    enum store_rc rc = find_vault(host) != NULL ? STORE_OK : STORE_NO_VAULT;
    pthread_mutex_unlock(&lock);
    return rc;
}

void store_visit(store_visitor *visit, void *context)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < entry_count; i++) {
        visit(&entries[i].view, entries[i].pem, context);
    }
    pthread_mutex_unlock(&lock);
}

void store_restore(const struct key_view *view, const char *pem)
{
    pthread_mutex_lock(&lock);
    keystore_append(view, pem != NULL ? must(strdup(pem)) : NULL);
    pthread_mutex_unlock(&lock);
}
