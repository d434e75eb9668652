#include "keymap/keycache.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "platform/thread.h"

#define BUCKETS   1024
#define HOSTS_MAX 64

struct entry {
    struct entry *next;
    struct thumbprint thumbprint;
    bool unwrap_noted;
    uint64_t look_ms; /* not before, its attributes are looked at again; 0: it was not used yet */
    struct known_key key;
    char host[TEXT_HOST_CAP];
};

struct host_algorithm {
    char host[TEXT_HOST_CAP];
    enum rsa_algorithm algorithm;
};

static struct plat_mutex lock = PLAT_MUTEX_INIT;
static struct entry *buckets[BUCKETS];
static size_t entry_count, evict_next;
static struct host_algorithm hosts[HOSTS_MAX];
static size_t host_count, host_next;

/* Hashes only the thumbprint, because a key of two vaults is rare. */
static size_t bucket_of(const struct thumbprint *thumbprint)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < thumbprint->len; i++) {
        hash = (hash ^ thumbprint->bytes[i]) * 16777619u;
    }
    return hash % BUCKETS;
}

/* The link to the entry; *result is NULL if there is none. The caller holds the lock, here and
 * below. */
static struct entry **keycache_find_entry(const char *host, const struct thumbprint *thumbprint)
{
    struct entry **at = &buckets[bucket_of(thumbprint)];
    while (*at != NULL &&
           (strcmp((*at)->host, host) != 0 || !thumbprint_equal(&(*at)->thumbprint, thumbprint))) {
        at = &(*at)->next;
    }
    return at;
}

static void unlink_entry(struct entry **at)
{
    struct entry *entry = *at;
    *at = entry->next;
    entry_count--;
    free(entry);
}

/* The oldest entry of the next bucket that is not empty. */
static void evict_one(void)
{
    for (size_t tried = 0; tried < BUCKETS; tried++) {
        struct entry **at = &buckets[evict_next];
        evict_next = (evict_next + 1) % BUCKETS;
        if (*at != NULL) {
            unlink_entry(at);
            return;
        }
    }
}

/* A new entry goes to the end of its chain, so the head is the oldest. NULL: no memory. */
static struct entry *find_or_make(const char *host, const struct thumbprint *thumbprint)
{
    struct entry **at = keycache_find_entry(host, thumbprint);
    if (*at != NULL) {
        return *at;
    }
    if (entry_count >= KEYCACHE_MAX) {
        evict_one();
        at = keycache_find_entry(host, thumbprint);
    }
    struct entry *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    (void)text_copy(made->host, sizeof made->host, host);
    made->thumbprint = *thumbprint;
    made->key.oaep = RSA_ALGORITHM_COUNT;
    *at = made;
    entry_count++;
    return made;
}

bool keycache_get(const char *host, const struct thumbprint *thumbprint, struct known_key *out)
{
    plat_mutex_lock(&lock);
    const struct entry *entry = *keycache_find_entry(host, thumbprint);
    if (entry != NULL) {
        *out = entry->key;
    }
    plat_mutex_unlock(&lock);
    return entry != NULL;
}

bool keycache_take_look(const char *host, const struct thumbprint *thumbprint)
{
    uint64_t now_ms = plat_now_ms();
    plat_mutex_lock(&lock);
    struct entry *entry = *keycache_find_entry(host, thumbprint);
    bool due = entry != NULL && entry->look_ms != 0 && now_ms >= entry->look_ms;
    if (entry != NULL && (due || entry->look_ms == 0)) {
        entry->look_ms = now_ms + (due ? KEYCACHE_LOOK_EACH_MS : KEYCACHE_LOOK_AFTER_MS);
    }
    plat_mutex_unlock(&lock);
    return due;
}

/* Forgets what is known of another version. */
static void set_id(struct entry *entry, const struct key_id *id)
{
    if (!key_id_equal(&entry->key.id, id)) {
        memset(&entry->key, 0, sizeof entry->key);
        entry->key.oaep = RSA_ALGORITHM_COUNT;
        entry->unwrap_noted = false;
    }
    entry->key.id = *id;
}

void keycache_learn_id(const char *host, const struct thumbprint *thumbprint,
                       const struct key_id *id)
{
    plat_mutex_lock(&lock);
    struct entry *entry = find_or_make(host, thumbprint);
    if (entry != NULL) {
        set_id(entry, id);
    }
    plat_mutex_unlock(&lock);
}

void keycache_set_public(struct known_key *known, const struct vault_key *key, uint64_t now_ms)
{
    known->has_public = true;
    known->public = key->public;
    known->enabled = key->enabled;
    known->can_wrap = key->can_wrap;
    known->not_before_s = key->not_before_s;
    known->expires_s = key->expires_s;
    known->fetched_ms = now_ms;
}

void keycache_learn_key(const char *host, const struct thumbprint *thumbprint,
                        const struct vault_key *key)
{
    uint64_t now_ms = plat_now_ms();
    plat_mutex_lock(&lock);
    struct entry *entry = find_or_make(host, thumbprint);
    if (entry != NULL) {
        set_id(entry, &key->id);
        keycache_set_public(&entry->key, key, now_ms);
    }
    plat_mutex_unlock(&lock);
}

void keycache_note_unrecorded(const char *host, const struct thumbprint *thumbprint,
                              const struct key_id *replaces)
{
    plat_mutex_lock(&lock);
    struct entry *entry = *keycache_find_entry(host, thumbprint);
    if (entry != NULL) {
        entry->key.unrecorded = true;
        entry->key.replaces = replaces != NULL ? *replaces : (struct key_id){"", ""};
    }
    plat_mutex_unlock(&lock);
}

bool keycache_take_unrecorded(const char *host, const struct thumbprint *thumbprint,
                              const struct key_id *id)
{
    plat_mutex_lock(&lock);
    struct entry *entry = *keycache_find_entry(host, thumbprint);
    bool taken = entry != NULL && entry->key.unrecorded && key_id_equal(&entry->key.id, id);
    if (taken) {
        entry->key.unrecorded = false;
    }
    plat_mutex_unlock(&lock);
    return taken;
}

void keycache_forget(const char *host, const struct thumbprint *thumbprint)
{
    plat_mutex_lock(&lock);
    struct entry **at = keycache_find_entry(host, thumbprint);
    if (*at != NULL) {
        unlink_entry(at);
    }
    plat_mutex_unlock(&lock);
}

static void note_host(const char *host, enum rsa_algorithm algorithm)
{
    size_t i = 0;
    while (i < host_count && strcmp(hosts[i].host, host) != 0) {
        i++;
    }
    if (i == host_count && host_count < HOSTS_MAX) {
        host_count++;
    } else if (i == host_count) {
        i = host_next;
        host_next = (host_next + 1) % HOSTS_MAX;
    }
    (void)text_copy(hosts[i].host, sizeof hosts[i].host, host);
    hosts[i].algorithm = algorithm;
}

bool keycache_note_unwrap(const char *host, const struct thumbprint *thumbprint,
                          enum rsa_algorithm algorithm)
{
    bool first = false;
    plat_mutex_lock(&lock);
    struct entry *entry = *keycache_find_entry(host, thumbprint);
    /* With implicit rejection RSA1_5 "opens" anything. So it does not replace an OAEP algorithm
     * that opened this key. */
    bool doubtful = algorithm == RSA1_5 && entry != NULL && entry->key.oaep != RSA_ALGORITHM_COUNT;
    if (entry != NULL) {
        first = !entry->unwrap_noted;
        entry->unwrap_noted = true;
        entry->key.oaep = algorithm != RSA1_5 ? algorithm : entry->key.oaep;
    }
    if (!doubtful) {
        note_host(host, algorithm);
    }
    plat_mutex_unlock(&lock);
    return first;
}

enum rsa_algorithm keycache_last_unwrap(const char *host, enum rsa_algorithm otherwise)
{
    enum rsa_algorithm algorithm = otherwise;
    plat_mutex_lock(&lock);
    for (size_t i = 0; i < host_count; i++) {
        if (strcmp(hosts[i].host, host) == 0) {
            algorithm = hosts[i].algorithm;
        }
    }
    plat_mutex_unlock(&lock);
    return algorithm;
}

size_t keycache_count(void)
{
    plat_mutex_lock(&lock);
    size_t count = entry_count;
    plat_mutex_unlock(&lock);
    return count;
}

void keycache_clear(void)
{
    plat_mutex_lock(&lock);
    for (size_t i = 0; i < BUCKETS; i++) {
        while (buckets[i] != NULL) {
            unlink_entry(&buckets[i]);
        }
    }
    host_count = host_next = evict_next = 0;
    plat_mutex_unlock(&lock);
}
