#include "vault/credential.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
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
/* No token ends before, nor does a refusal of a credential that nobody holds. */
static _Atomic uint64_t credential_due_ms = UINT64_MAX;

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

static void credential_note_due(uint64_t end_ms)
{
    if (end_ms < atomic_load(&credential_due_ms)) {
        atomic_store(&credential_due_ms, end_ms);
    }
}

void credential_watch(const struct token *token)
{
    credential_note_due(token->expires_ms);
}

/* Under the lock: wipes the tokens that expired. Whether a token or a refusal is left. */
static bool credential_drop_expired(struct credential *credential, uint64_t now_ms)
{
    bool needed = false;
    for (size_t i = 0; i < TOKEN_SLOTS; i++) {
        struct token_slot *slot = &credential->slots[i];
        if (slot->current != NULL && slot->current->expires_ms <= now_ms) {
            token_release(slot->current);
            slot->current = NULL;
        }
        if (slot->current != NULL) {
            credential_note_due(slot->current->expires_ms);
            needed = true;
        }
        if (slot->refused_until_ms > now_ms) {
            credential_note_due(credential->references == 0 ? slot->refused_until_ms : UINT64_MAX);
            needed = true;
        }
    }
    return needed;
}

/* Under the lock: wipes what expired and takes out the credentials that no session and no token
 * needs. */
static struct credential *credential_take_unneeded(uint64_t now_ms)
{
    struct credential *dropped = NULL;
    atomic_store(&credential_due_ms, UINT64_MAX);
    for (struct credential **at = &credentials; *at != NULL;) {
        struct credential *one = *at;
        if (credential_drop_expired(one, now_ms) || one->references > 0) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        one->next = dropped;
        dropped = one;
        credential_count--;
    }
    return dropped;
}

/* Under the lock: if the table is full, takes out the credential that was unused for longest. */
static struct credential *credential_take_oldest(void)
{
    struct credential **oldest = NULL;
    for (struct credential **at = &credentials; *at != NULL; at = &(*at)->next) {
        if ((*at)->references == 0 && (oldest == NULL || (*at)->used_ms < (*oldest)->used_ms)) {
            oldest = at;
        }
    }
    if (credential_count < CREDENTIALS_MAX || oldest == NULL) {
        return NULL;
    }
    struct credential *one = *oldest;
    *oldest = one->next;
    one->next = NULL;
    credential_count--;
    return one;
}

static void free_all(struct credential *list)
{
    while (list != NULL) {
        struct credential *next = list->next;
        free_credential(list);
        list = next;
    }
}

static struct credential *credential_make(const char *client_id, const char *secret, size_t len,
                                          const uint8_t *hash)
{
    struct credential *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    const struct buf empty = BUF_EMPTY(SECRET_MAX);
    made->secret = empty;
    made->references = 1;
    memcpy(made->hash, hash, sizeof made->hash);
    (void)text_copy(made->client_id, sizeof made->client_id, client_id);
    if (buf_append(&made->secret, secret, len) != EKM_OK) {
        free_credential(made);
        return NULL;
    }
    return made;
}

/* Under the lock. Takes the same time wherever two hashes differ. */
static struct credential *credential_find(const char *client_id, const uint8_t *hash)
{
    struct credential *at = credentials;
    while (at != NULL && (strcmp(at->client_id, client_id) != 0 ||
                          CRYPTO_memcmp(at->hash, hash, sizeof at->hash) != 0)) {
        at = at->next;
    }
    return at;
}

/* NULL: it has to be made, or its secret was wiped and has to be given again: in *fresh, which is
 * taken over whole or without its secret. */
static struct credential *find_or_add(const char *client_id, const uint8_t *hash,
                                      struct credential **fresh)
{
    uint64_t now_ms = plat_now_ms();
    struct credential *dropped = NULL;
    plat_mutex_lock(&token_lock);
    struct credential *found = credential_find(client_id, hash);
    if (found != NULL && found->secret.len == 0 && *fresh != NULL) {
        struct buf wiped = found->secret;
        found->secret = (*fresh)->secret;
        (*fresh)->secret = wiped;
    }
    if (found != NULL && found->secret.len == 0) {
        found = NULL;
    } else if (found != NULL) {
        found->references++;
    } else if (*fresh != NULL) {
        dropped = credential_take_oldest();
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

static bool credential_hash(const char *secret, size_t len, uint8_t hash[CREDENTIAL_HASH_BYTES])
{
    return EVP_Digest(secret, len, hash, NULL, EVP_sha256(), NULL) == 1;
}

enum ekm_rc credential_open(struct call *call, const char *secret, size_t len,
                            struct credential **out)
{
    size_t id_len = 0;
    uint8_t hash[CREDENTIAL_HASH_BYTES];
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
    if (!credential_hash(secret, len, hash)) {
        return call_fail(call, EKM_OUT_OF_MEMORY, NULL);
    }
    struct credential *fresh = NULL, *found = find_or_add(call->client_id, hash, &fresh);
    if (found == NULL) {
        fresh = credential_make(call->client_id, secret, len, hash);
        found = fresh != NULL ? find_or_add(call->client_id, hash, &fresh) : NULL;
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
    struct buf secret = BUF_EMPTY(SECRET_MAX);
    struct credential *dropped = NULL;
    plat_mutex_lock(&token_lock);
    if (--credential->references == 0) {
        const struct buf wiped = secret;
        secret = credential->secret;
        credential->secret = wiped;
        dropped = credential_take_unneeded(plat_now_ms());
    }
    plat_mutex_unlock(&token_lock);
    buf_free(&secret);
    free_all(dropped);
}

void credential_sweep(uint64_t now_ms)
{
    if (now_ms < atomic_load(&credential_due_ms)) {
        return;
    }
    plat_mutex_lock(&token_lock);
    struct credential *dropped = credential_take_unneeded(now_ms);
    plat_mutex_unlock(&token_lock);
    free_all(dropped);
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
