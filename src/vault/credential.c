#include "vault/credential.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "platform/system.h"
#include "vault/credential_slots.h"
#include "vault/expiry.h"

#define CREDENTIALS_MAX 256
#define SECRET_MAX      6144 /* 4 KiB of UTF-16 as UTF-8 */

struct plat_mutex token_lock = PLAT_MUTEX_INIT;
static struct credential *credentials;
static size_t credential_count;
/* Before this time there is nothing to sweep: no token expires, and no refusal ends of a credential
 * that no session holds. */
static _Atomic uint64_t credential_due_ms = UINT64_MAX;

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

/* Under the lock: wipes expired tokens. Returns whether a token or a refusal is left. */
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

/* Under the lock: wipes expired tokens, and removes credentials without a session, a token or a
 * refusal. */
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

/* Under the lock: if the table is full, removes the credential that was unused for longest. */
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

static struct credential *credential_make(const struct sign_in *who, const uint8_t *hash)
{
    struct credential *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    const struct buf empty = BUF_EMPTY(SECRET_MAX);
    made->who = *who;
    made->who.secret = NULL;
    made->who.secret_len = 0;
    made->secret = empty;
    made->references = 1;
    memcpy(made->hash, hash, sizeof made->hash);
    sign_in_describe(who, "", made->described, sizeof made->described);
    if (who->secret_len > 0 && buf_append(&made->secret, who->secret, who->secret_len) != EKM_OK) {
        free_credential(made);
        return NULL;
    }
    return made;
}

/* Under the lock. The comparison takes the same time wherever two secrets or two hashes differ.
 * hash NULL: only a credential that has its secret, as one with a session does. */
static bool credential_matches(const struct credential *one, const struct sign_in *who,
                               const uint8_t *hash)
{
    if (!sign_in_equal(&one->who, who)) {
        return false;
    }
    return hash != NULL ? CRYPTO_memcmp(one->hash, hash, sizeof one->hash) == 0
                        : one->secret.len == who->secret_len &&
                              CRYPTO_memcmp(one->secret.data, who->secret, who->secret_len) == 0;
}

/* Under the lock. */
static struct credential *credential_find(const struct sign_in *who, const uint8_t *hash)
{
    struct credential *at = credentials;
    while (at != NULL && !credential_matches(at, who, hash)) {
        at = at->next;
    }
    return at;
}

static bool credential_lacks_secret(const struct credential *credential)
{
    return credential->who.form == SIGN_IN_SECRET && credential->secret.len == 0;
}

/* Finds the credential, or adds *fresh, or moves only the secret of *fresh to it. NULL: the caller
 * must make *fresh, because there is no credential or its secret was wiped. */
static struct credential *find_or_add(struct call *call, const struct sign_in *who,
                                      const uint8_t *hash, struct credential **fresh)
{
    uint64_t now_ms = plat_now_ms();
    struct credential *dropped = NULL;
    plat_mutex_lock(&token_lock);
    struct credential *found = credential_find(who, hash);
    if (found != NULL && credential_lacks_secret(found) && *fresh != NULL) {
        struct buf wiped = found->secret;
        found->secret = (*fresh)->secret;
        (*fresh)->secret = wiped;
    }
    if (found != NULL && credential_lacks_secret(found)) {
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
        (void)text_copy(call->sign_in, sizeof call->sign_in, found->described);
    }
    plat_mutex_unlock(&token_lock);
    free_all(dropped);
    return found;
}

static bool credential_hash(const struct sign_in *who, uint8_t hash[CREDENTIAL_HASH_BYTES])
{
    memset(hash, 0, CREDENTIAL_HASH_BYTES);
    return who->secret_len == 0 ||
           EVP_Digest(who->secret, who->secret_len, hash, NULL, EVP_sha256(), NULL) == 1;
}

enum ekm_rc credential_of(struct call *call, const struct sign_in *who, struct credential **out)
{
    uint8_t hash[CREDENTIAL_HASH_BYTES];
    struct credential *fresh = NULL;
    *out = who->secret_len > 0 ? find_or_add(call, who, NULL, &fresh) : NULL;
    if (*out != NULL) {
        return EKM_OK; /* without the hash, which costs as much as all the rest of opening */
    }
    if (!credential_hash(who, hash)) {
        return call_fail(call, EKM_OUT_OF_MEMORY, NULL);
    }
    struct credential *found = find_or_add(call, who, hash, &fresh);
    if (found == NULL) {
        fresh = credential_make(who, hash);
        found = fresh != NULL ? find_or_add(call, who, hash, &fresh) : NULL;
        if (fresh != NULL) {
            free_credential(fresh);
        }
    }
    *out = found;
    return found != NULL ? EKM_OK : call_fail(call, EKM_OUT_OF_MEMORY, NULL);
}

/* Warns before a certificate or a secret expires, even while a token is valid. */
static void credential_note_end(struct call *call, const struct credential *credential)
{
    plat_mutex_lock(&token_lock);
    int64_t expiry_s = credential->expiry_s;
    plat_mutex_unlock(&token_lock);
    if (credential->who.form == SIGN_IN_CERTIFICATE) {
        expiry_note(call, EXPIRY_CERTIFICATE, credential->who.client_id, expiry_s);
    } else if (credential->who.form == SIGN_IN_SECRET) {
        expiry_note(call, EXPIRY_SECRET, credential->who.client_id,
                    expiry_of_secret(call->config, credential->who.client_id));
    }
}

void credential_learn(struct call *call, struct credential *credential, int64_t expiry_s)
{
    plat_mutex_lock(&token_lock);
    (void)text_copy(credential->described, sizeof credential->described, call->sign_in);
    if (expiry_s != 0) {
        credential->expiry_s = expiry_s;
    }
    plat_mutex_unlock(&token_lock);
    credential_note_end(call, credential);
}

enum ekm_rc credential_open(struct call *call, const char *secret, size_t len,
                            struct credential **out)
{
    struct sign_in who;
    enum ekm_rc rc = sign_in_parse(call, secret, len, &who);
    (void)text_copy(call->client_id, sizeof call->client_id, who.client_id);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = credential_of(call, &who, out);
    if (rc != EKM_OK) {
        return rc;
    }
    credential_note_end(call, *out);
    return EKM_OK;
}

enum ekm_rc credential_open_managed(struct call *call, struct credential **out)
{
    struct sign_in who;
    enum ekm_rc rc = sign_in_managed(call, &who);
    if (rc != EKM_OK) {
        return rc;
    }
    return credential_of(call, &who, out);
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
    return credential->who.client_id;
}

bool credential_needs_tenant(const struct credential *credential)
{
    return sign_in_needs_tenant(&credential->who);
}

static bool same_place(const struct credential *credential, const struct challenge *a,
                       const struct challenge *b)
{
    if (!sign_in_needs_tenant(&credential->who)) {
        return strcmp(a->resource, b->resource) == 0;
    }
    return strcmp(a->authority, b->authority) == 0 && strcmp(a->tenant, b->tenant) == 0 &&
           strcmp(a->resource, b->resource) == 0;
}

struct token_slot *credential_slot(struct credential *credential, const struct challenge *where)
{
    struct token_slot *place = NULL;
    for (size_t i = 0; i < TOKEN_SLOTS; i++) {
        struct token_slot *slot = &credential->slots[i];
        if (slot->used && same_place(credential, &slot->where, where)) {
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

void credential_forget_all(void)
{
    plat_mutex_lock(&token_lock);
    struct credential *all = credentials;
    credentials = NULL;
    credential_count = 0;
    plat_mutex_unlock(&token_lock);
    free_all(all);
}
