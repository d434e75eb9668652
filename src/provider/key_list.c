#include "provider/key_list.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* A position holds a pointer that is set once, so the threads of one session need no lock. */
struct listed_key {
    char name[KEY_NAME_MAX + 1];
    _Atomic(struct vault_key *) key; /* NULL until it is fetched */
};

struct key_list {
    struct listed_key *keys; /* by name */
    size_t count, cap;
};

/* Marks a key that SQL Server cannot use. */
static struct vault_key unusable;

void key_list_free(struct key_list *list)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        struct vault_key *key = atomic_load(&list->keys[i].key);
        if (key != &unusable) {
            free(key);
        }
    }
    if (list != NULL) {
        free(list->keys);
    }
    free(list);
}

struct collection {
    struct key_list *list;
    size_t max_name_len;
    bool no_memory;
};

/* gcc 14's analyzer takes the block that list->keys holds for lost. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
static bool key_list_append(struct collection *collection, const char *name)
{
    struct key_list *list = collection->list;
    if (list->count == list->cap) {
        size_t cap = list->cap != 0 ? 2 * list->cap : 64;
        void *grown = realloc(list->keys, cap * sizeof list->keys[0]);
        if (grown == NULL) {
            collection->no_memory = true;
            return false;
        }
        list->keys = grown;
        list->cap = cap;
    }
    struct listed_key *next = &list->keys[list->count++];
    memset(next, 0, sizeof *next);
    (void)text_copy(next->name, sizeof next->name, name);
    return true;
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

static bool key_list_collect(void *context, const struct vault_key *item)
{
    struct collection *collection = context;
    bool fits = item->enabled && strlen(item->id.name) <= collection->max_name_len &&
                text_is_name(item->id.name, "-", KEY_NAME_MAX);
    return !fits || key_list_append(collection, item->id.name);
}

static int key_list_compare(const void *left, const void *right)
{
    const struct listed_key *a = left, *b = right;
    return strcmp(a->name, b->name);
}

enum ekm_rc key_list_make(struct call *call, const struct vault *vault, struct key_list **out)
{
    struct collection collection = {calloc(1, sizeof **out), call->config->max_key_name_length,
                                    false};
    if (collection.list == NULL) {
        return call_fail(call, EKM_OUT_OF_MEMORY, NULL);
    }
    enum ekm_rc rc = vault_list_keys(call, vault, key_list_collect, &collection);
    if (collection.no_memory) {
        rc = call_fail(call, EKM_OUT_OF_MEMORY, NULL);
    }
    if (rc != EKM_OK) {
        key_list_free(collection.list);
        return rc;
    }
    if (collection.list->count > 0) {
        qsort(collection.list->keys, collection.list->count, sizeof collection.list->keys[0],
              key_list_compare);
    }
    *out = collection.list;
    return EKM_OK;
}

static struct vault_key *key_list_publish(struct listed_key *listed, struct vault_key *key)
{
    struct vault_key *expected = NULL;
    if (atomic_compare_exchange_strong(&listed->key, &expected, key)) {
        return key;
    }
    if (key != &unusable) {
        free(key);
    }
    return expected;
}

size_t key_list_count(const struct key_list *list)
{
    return list->count;
}

/* Fetches the key, or marks it as unusable. */
static enum ekm_rc key_list_fetch(struct call *call, const struct vault *vault,
                                  struct listed_key *listed, struct vault_key **out)
{
    struct vault_key fetched;
    struct key_id name = {"", ""};
    (void)text_copy(name.name, sizeof name.name, listed->name);
    enum ekm_rc rc = vault_get_key(call, vault, &name, &fetched);
    bool gone = rc == EKM_KEY_NOT_FOUND || rc == EKM_KEY_DISABLED;
    if (rc != EKM_OK && !gone) {
        return rc;
    }
    call_clear_error(call);
    if (gone || !fetched.enabled || !fetched.is_rsa || !fetched.usable_size) {
        *out = key_list_publish(listed, &unusable);
        return EKM_OK;
    }
    struct vault_key *key = malloc(sizeof *key);
    if (key == NULL) {
        return call_fail(call, EKM_OUT_OF_MEMORY, NULL);
    }
    *key = fetched;
    *out = key_list_publish(listed, key);
    return EKM_OK;
}

enum ekm_rc key_list_resolve(struct call *call, const struct vault *vault, struct key_list *list,
                             size_t index, const struct vault_key **out)
{
    struct listed_key *listed = &list->keys[index];
    struct vault_key *key = atomic_load(&listed->key);
    if (key == NULL) {
        enum ekm_rc rc = key_list_fetch(call, vault, listed, &key);
        if (rc != EKM_OK) {
            return rc;
        }
    }
    *out = key != &unusable ? key : NULL;
    return EKM_OK;
}
