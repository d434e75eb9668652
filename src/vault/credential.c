#include "vault/credential.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "platform/system.h"

#define CREDENTIALS_MAX 256
#define SECRET_MAX      6144 /* 4 KiB of UTF-16 as UTF-8 */
#define HEX_ID          32
#define GUID_ID         36

struct plat_mutex token_lock = PLAT_MUTEX_INIT;
static struct credential *credentials;
static size_t credential_count;

/* The client ID in GUID form and its length in `secret`: 32 hex digits, or a GUID. False: it is
 * neither. */
static bool read_client_id(const char *secret, size_t len, char id[37], size_t *id_len)
{
    uint8_t bytes[16];
    char hex[HEX_ID + 1];
    size_t used = 0;
    bool guid = len >= GUID_ID && secret[8] == '-' && secret[13] == '-' && secret[18] == '-' &&
                secret[23] == '-';
    *id_len = guid ? GUID_ID : HEX_ID;
    for (size_t i = 0; i < *id_len; i++) {
        bool hyphen = guid && (i == 8 || i == 13 || i == 18 || i == 23);
        if (!hyphen) {
            hex[used++] = secret[i];
        }
    }
    hex[HEX_ID] = '\0';
    if (!hex_decode(hex, sizeof bytes, bytes)) {
        return false;
    }
    text_lower(hex);
    uuid_group(hex, id);
    return true;
}

static void free_credential(struct credential *credential)
{
    for (size_t i = 0; i < TOKEN_SLOTS; i++) {
        token_release(credential->slots[i].current);
    }
    buf_free(&credential->secret);
    plat_wipe(credential, sizeof *credential);
    free(credential);
}

static bool has_live_token(const struct credential *credential, uint64_t now_ms)
{
    for (size_t i = 0; i < TOKEN_SLOTS; i++) {
        const struct token_slot *slot = &credential->slots[i];
        if ((slot->current != NULL && slot->current->expires_ms > now_ms) ||
            slot->refused_until_ms > now_ms) {
            return true;
        }
    }
    return false;
}

/* Under the lock: takes out what nobody holds and what is of no more use, and one more if the table
 * is full. */
static struct credential *sweep(uint64_t now_ms)
{
    struct credential *dropped = NULL, **oldest = NULL;
    for (struct credential **at = &credentials; *at != NULL;) {
        struct credential *one = *at;
        if (one->references == 0 && !has_live_token(one, now_ms)) {
            *at = one->next;
            one->next = dropped;
            dropped = one;
            credential_count--;
            continue;
        }
        if (one->references == 0 && (oldest == NULL || one->used_ms < (*oldest)->used_ms)) {
            oldest = at;
        }
        at = &one->next;
    }
    if (credential_count >= CREDENTIALS_MAX && oldest != NULL) {
        struct credential *one = *oldest;
        *oldest = one->next;
        one->next = dropped;
        dropped = one;
        credential_count--;
    }
    return dropped;
}

static void free_all(struct credential *list)
{
    while (list != NULL) {
        struct credential *next = list->next;
        free_credential(list);
        list = next;
    }
}

static struct credential *make(const char *client_id, const char *secret, size_t len)
{
    struct credential *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    const struct buf empty = BUF_EMPTY(SECRET_MAX);
    made->secret = empty;
    made->references = 1;
    (void)text_copy(made->client_id, sizeof made->client_id, client_id);
    if (buf_append(&made->secret, secret, len) != EKM_OK) {
        free_credential(made);
        return NULL;
    }
    return made;
}

/* Under the lock. Takes the same time wherever two secrets of one length differ. */
static struct credential *find(const char *client_id, const char *secret, size_t len)
{
    struct credential *at = credentials;
    while (at != NULL && (strcmp(at->client_id, client_id) != 0 || at->secret.len != len ||
                          CRYPTO_memcmp(at->secret.data, secret, len) != 0)) {
        at = at->next;
    }
    return at;
}

static struct credential *find_or_add(const char *client_id, const char *secret, size_t len,
                                      struct credential **fresh)
{
    uint64_t now_ms = plat_now_ms();
    struct credential *dropped = NULL;
    plat_mutex_lock(&token_lock);
    struct credential *found = find(client_id, secret, len);
    if (found != NULL) {
        found->references++;
    } else if (*fresh != NULL) {
        dropped = sweep(now_ms);
        found = *fresh;
        found->next = credentials;
        credentials = found;
        credential_count++;
        *fresh = NULL;
    }
    if (found != NULL) {
        found->used_ms = now_ms;
    }
    plat_mutex_unlock(&token_lock);
    free_all(dropped);
    return found;
}

enum ekm_rc credential_open(struct call *call, const char *secret, size_t len,
                            struct credential **out)
{
    size_t id_len = 0;
    if (len < HEX_ID) {
        return call_fail(call, EKM_SECRET_TOO_SHORT, NULL);
    }
    if (!read_client_id(secret, len, call->client_id, &id_len)) {
        return call_fail(call, EKM_BAD_CREDENTIALS, "SECRET does not begin with a client ID");
    }
    if (len <= id_len) {
        return call_fail(call, EKM_SECRET_TOO_SHORT, "nothing follows the client ID");
    }
    secret += id_len;
    len -= id_len;
    struct credential *fresh = NULL, *found = find_or_add(call->client_id, secret, len, &fresh);
    if (found == NULL) {
        fresh = make(call->client_id, secret, len);
        found = fresh != NULL ? find_or_add(call->client_id, secret, len, &fresh) : NULL;
        if (fresh != NULL) {
            free_credential(fresh);
        }
    }
    *out = found;
    return found != NULL ? EKM_OK : call_fail(call, EKM_OUT_OF_MEMORY, NULL);
}

void credential_release(struct credential *credential)
{
    if (credential == NULL) {
        return;
    }
    plat_mutex_lock(&token_lock);
    credential->references--;
    plat_mutex_unlock(&token_lock);
}

const char *credential_client_id(const struct credential *credential)
{
    return credential->client_id;
}

static bool same_place(const struct challenge *a, const struct challenge *b)
{
    return strcmp(a->authority, b->authority) == 0 && strcmp(a->tenant, b->tenant) == 0 &&
           strcmp(a->resource, b->resource) == 0;
}

struct token_slot *credential_slot(struct credential *credential, const struct challenge *where)
{
    struct token_slot *place = NULL;
    for (size_t i = 0; i < TOKEN_SLOTS; i++) {
        struct token_slot *slot = &credential->slots[i];
        if (slot->used && same_place(&slot->where, where)) {
            return slot;
        }
        if (!slot->fetching && (place == NULL || (place->used && !slot->used))) {
            place = slot;
        }
    }
    if (place != NULL) {
        token_release(place->current);
        memset(place, 0, sizeof *place);
        place->used = true;
        place->where = *where;
    }
    return place;
}

void token_forget_all(void)
{
    plat_mutex_lock(&token_lock);
    struct credential *all = credentials;
    credentials = NULL;
    credential_count = 0;
    plat_mutex_unlock(&token_lock);
    free_all(all);
}
