#include "provider/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/unseen.h"
#include "keymap/tenants.h"
#include "platform/system.h"
#include "platform/thread.h"
#include "provider/key_list.h"
#include "provider/marshal.h"
#include "vault/identity.h"
#include "vault/second_vault.h"
#include "vault/sign_in.h"

#define CHUNK_SLOTS        256
#define CHUNKS             (SESSION_MAX / CHUNK_SLOTS)
#define INDEX_BITS         16
#define IDENTITY_MAX_BYTES 1024
#define SECRET_MAX_BYTES   4096
#define UTF8_MOST          3 /* bytes of a UTF-16 unit */

static const struct marshal_argument session_identity = {
    "IDENTITY", IDENTITY_MAX_BYTES, EKM_VAULT_NOT_ALLOWED, EKM_VAULT_NOT_ALLOWED};
static const struct marshal_argument session_secret = {"SECRET", SECRET_MAX_BYTES,
                                                       EKM_INVALID_ARGUMENT, EKM_INVALID_ARGUMENT};

/* A handle is a generation and an index. Generations begin with 1 and never repeat, so no handle is
 * 0 or is used twice. */
struct slot {
    struct session *session; /* NULL: free */
    uint64_t generation;
    uint32_t next_free; /* index + 1 of the next free slot, 0 for none */
};

static struct plat_mutex lock = PLAT_MUTEX_INIT;
static struct slot *chunks[CHUNKS];
static uint32_t slot_count, first_free;
static uint64_t last_generation;

static struct slot *slot_at(uint32_t index)
{
    return &chunks[index / CHUNK_SLOTS][index % CHUNK_SLOTS];
}

/* Adds a new chunk's slots to the free list, lowest first. The caller holds the lock. SQL Server
 * has at most 32,767 connections. More sessions than the index can count are leaked ones, and the
 * limit keeps them from using up the engine's memory. */
static enum ekm_rc session_grow(void)
{
    uint32_t chunk = slot_count / CHUNK_SLOTS;
    if (chunk >= CHUNKS) {
        return EKM_SESSIONS_FULL;
    }
    chunks[chunk] = calloc(CHUNK_SLOTS, sizeof *chunks[chunk]);
    if (chunks[chunk] == NULL) {
        return EKM_OUT_OF_MEMORY;
    }
    slot_count += CHUNK_SLOTS;
    for (uint32_t i = CHUNK_SLOTS; i-- > 0;) {
        chunks[chunk][i].next_free = first_free;
        first_free = chunk * CHUNK_SLOTS + i + 1;
    }
    return EKM_OK;
}

/* NULL for a handle that was never given out or is closed. The caller holds the lock. */
static struct slot *session_find_slot(const SqlCpSession *handle, uint32_t *index)
{
    uint64_t value = (uint64_t)(uintptr_t)*handle;
    *index = (uint32_t)(value & ((1u << INDEX_BITS) - 1));
    if (*index >= slot_count) {
        return NULL;
    }
    struct slot *slot = slot_at(*index);
    return slot->session != NULL && slot->generation == value >> INDEX_BITS ? slot : NULL;
}

enum ekm_rc session_add(const struct vault *vault, SqlCpSession *handle)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        return EKM_OUT_OF_MEMORY;
    }
    session->vault = *vault;
    atomic_init(&session->references, 1);
    plat_mutex_lock(&lock);
    enum ekm_rc rc = first_free != 0 ? EKM_OK : session_grow();
    if (rc != EKM_OK) {
        goto out;
    }
    uint32_t index = first_free - 1;
    struct slot *slot = slot_at(index);
    first_free = slot->next_free;
    slot->session = session;
    slot->generation = ++last_generation;
    uint64_t value = slot->generation << INDEX_BITS | index;
    memcpy(handle, &value, sizeof value);
out:
    plat_mutex_unlock(&lock);
    if (rc != EKM_OK) {
        free(session);
    }
    return rc;
}

struct session *session_get(const SqlCpSession *handle)
{
    struct session *session = NULL;
    uint32_t index;
    if (handle == NULL) {
        return NULL;
    }
    plat_mutex_lock(&lock);
    const struct slot *slot = session_find_slot(handle, &index);
    if (slot != NULL) {
        session = slot->session;
        atomic_fetch_add(&session->references, 1);
    }
    plat_mutex_unlock(&lock);
    return session;
}

void session_put(struct session *session)
{
    if (session == NULL || atomic_fetch_sub(&session->references, 1) != 1) {
        return;
    }
    credential_release(session->vault.credential);
    key_list_free(atomic_load(&session->keys));
    free(atomic_load(&session->memo));
    free(session);
}

/* The caller holds the lock. */
static struct session *unlink_slot(struct slot *slot, uint32_t index)
{
    struct session *session = slot->session;
    slot->session = NULL;
    slot->next_free = first_free;
    first_free = index + 1;
    return session;
}

enum ekm_rc session_close(const SqlCpSession *handle, bool abort)
{
    struct session *session = NULL;
    uint32_t index;
    if (handle == NULL) {
        return EKM_INVALID_ARGUMENT;
    }
    plat_mutex_lock(&lock);
    struct slot *slot = session_find_slot(handle, &index);
    if (slot != NULL) {
        session = unlink_slot(slot, index);
    }
    plat_mutex_unlock(&lock);
    if (session == NULL) {
        return EKM_INVALID_ARGUMENT;
    }
    if (abort) {
        atomic_store(&session->aborted, true);
    }
    session_put(session);
    return EKM_OK;
}

void session_abort_all(void)
{
    plat_mutex_lock(&lock);
    for (uint32_t i = 0; i < slot_count; i++) {
        struct session *session = slot_at(i)->session;
        if (session != NULL) {
            atomic_store(&session->aborted, true);
        }
    }
    plat_mutex_unlock(&lock);
}

void session_close_all(void)
{
    for (uint32_t i = 0; i < slot_count; i++) {
        session_put(slot_at(i)->session);
    }
    plat_mutex_lock(&lock);
    for (uint32_t i = 0; i < slot_count / CHUNK_SLOTS; i++) {
        free(chunks[i]);
        chunks[i] = NULL;
    }
    slot_count = first_free = 0;
    plat_mutex_unlock(&lock);
}

/* Whether IDENTITY is `Managed Identity` and not a vault that is named ManagedIdentity. If so,
 * SECRET is the vault's host, which no client secret looks like. */
static bool session_is_managed(const struct config *config, const struct buf *identity,
                               const struct buf *secret)
{
    struct vault_address address;
    char name[32];
    bool blank = false;
    size_t len = identity->len;
    const char *text = unseen_trim(buf_text(identity), &len);
    if (!text_copy_n(name, sizeof name, text, len) || !sign_in_is_managed(name, &blank)) {
        return false;
    }
    return blank || address_parse(config, buf_text(secret), &address) == EKM_OK;
}

/* SECRET may be a secret in the wrong place, so nothing of it is shown. */
static enum ekm_rc session_read_managed(struct call *call, const struct buf *secret,
                                        struct vault *vault)
{
    char host[300];
    size_t len = secret->len;
    const char *text = unseen_trim(buf_text(secret), &len);
    if (!text_copy_n(host, sizeof host, text, len) ||
        address_parse(call->config, host, &vault->address) != EKM_OK) {
        return call_fail(call, EKM_VAULT_NOT_ALLOWED,
                         "IDENTITY is Managed Identity, but SECRET is not a vault's host");
    }
    (void)text_copy(call->vault, sizeof call->vault, vault->address.host);
    return credential_open_managed(call, &vault->credential);
}

enum ekm_rc session_read_credential(struct call *call, const SqlCpCredential *auth,
                                    struct vault *vault, char odd[SESSION_ODD_MAX])
{
    uint8_t identity_text[IDENTITY_MAX_BYTES / 2 * UTF8_MOST + 1];
    uint8_t secret_text[SECRET_MAX_BYTES / 2 * UTF8_MOST + 1];
    struct buf identity = BUF_OVER(identity_text), secret = BUF_OVER(secret_text);
    identity_text[0] = secret_text[0] = 0;
    enum ekm_rc rc = marshal_text(call, &session_identity, &auth->name, &identity);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = marshal_text(call, &session_secret, &auth->password, &secret);
    if (rc != EKM_OK) {
        goto out;
    }
    if (session_is_managed(call->config, &identity, &secret)) {
        rc = session_read_managed(call, &secret, vault);
        goto out;
    }
    rc = identity_read(call, buf_text(&identity), identity.len, &vault->address);
    if (rc != EKM_OK) {
        goto out;
    }
    (void)text_copy(call->vault, sizeof call->vault, vault->address.host);
    if (sign_in_has_word(buf_text(&secret), secret.len)) {
        identity_judge_end(buf_text(&secret), secret.len, odd, SESSION_ODD_MAX);
    } else {
        identity_judge_secret(buf_text(&secret), secret.len, odd, SESSION_ODD_MAX);
    }
    rc = credential_open(call, buf_text(&secret), secret.len, &vault->credential);
    if (rc != EKM_OK && odd[0] != '\0') {
        call_add_note(call, odd);
    }
out:
    /* No further slot was written. */
    plat_wipe(secret_text, secret.len);
    plat_wipe(identity_text, identity.len);
    return rc;
}

/* A step of second_vault_run. */
static enum ekm_rc session_authenticate_at(struct call *call, const struct vault *vault,
                                           void *context)
{
    (void)context;
    enum ekm_rc rc = vault_authenticate(call, vault);
    if (rc != EKM_OK) {
        return rc;
    }
    tenants_note(call, vault->address.host);
    return EKM_OK;
}

enum ekm_rc session_open(struct call *call, const SqlCpCredential *auth, SqlCpSession *handle)
{
    struct vault vault;
    char odd[SESSION_ODD_MAX] = "";
    memset(&vault, 0, sizeof vault);
    if (auth == NULL || handle == NULL) {
        return call_fail(call, EKM_INVALID_ARGUMENT, "credential or session is NULL");
    }
    call->audited = true;
    enum ekm_rc rc = session_read_credential(call, auth, &vault, odd);
    if (rc != EKM_OK) {
        return rc;
    }
    (void)text_copy(call->client_id, sizeof call->client_id,
                    credential_client_id(vault.credential));
    vault.spare = second_vault_find(vault.address.host);
    rc = second_vault_run(call, &vault, false, session_authenticate_at, NULL);
    if (rc == EKM_BAD_CREDENTIALS && odd[0] != '\0') {
        call_add_note(call, odd);
    }
    if (rc != EKM_OK) {
        goto out;
    }
    rc = session_add(&vault, handle);
out:
    if (rc != EKM_OK) {
        credential_release(vault.credential);
    }
    return rc;
}
