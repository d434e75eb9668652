#include "harness.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void *export_of(const struct ekm *ekm, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "SqlCrypt%s", name);
    void *found = dlsym(ekm->module, full);
    assert_non_null(found);
    return found;
}

void ekm_load(struct ekm *ekm)
{
    ekm_load_from(ekm, AKVEKM_BUILD_DIR "/libakvekm.so");
}

void ekm_load_from(struct ekm *ekm, const char *path)
{
    ekm->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (ekm->module == NULL) {
        fail_msg("%s", dlerror());
    }
    void *found;
#define EKM_LOAD(name)                                                                             \
    found = export_of(ekm, #name);                                                                 \
    memcpy(&ekm->name, &found, sizeof found);
    EKM_EXPORTS(EKM_LOAD)
#undef EKM_LOAD
}

void ekm_unload(struct ekm *ekm)
{
    assert_int_equal(dlclose(ekm->module), 0);
    ekm->module = NULL;
}

SqlCpStr ekm_wide(const char *text, uint16_t *units)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        units[i] = (uint8_t)text[i];
    }
    SqlCpStr result = {(uint32_t)(2 * len), units};
    return result;
}

SqlCpError ekm_open(const struct ekm *ekm, const char *identity, const char *secret,
                    SqlCpSession *session)
{
    uint16_t name[300], password[300];
    SqlCpCredential credential = {ekm_wide(identity, name), ekm_wide(secret, password)};
    return ekm->OpenSession(&credential, session);
}

SqlCpError ekm_find(const struct ekm *ekm, const SqlCpSession *session, const char *name,
                    SqlCpData *thumb)
{
    uint16_t units[300], found[300];
    SqlCpStr wanted = ekm_wide(name, units);
    SqlCpKeyInfo info = {{0, NULL}, {0, NULL}, 0, 0};
    SqlCpError code = ekm->GetKeyInfoByName(session, &wanted, &info);
    if (code != SQLCP_INSUFFICIENT_BUFFER) {
        return code;
    }
    assert_true(info.name.cb <= sizeof found && info.thumb.cb <= 32);
    info.name.ws = found;
    info.thumb.pb = thumb->pb;
    code = ekm->GetKeyInfoByName(session, &wanted, &info);
    thumb->cb = info.thumb.cb;
    return code;
}

/* Encrypt and Decrypt have one shape. */
static SqlCpError ekm_dance(__typeof__(&SqlCryptEncrypt) operation, const SqlCpSession *session,
                            const SqlCpData *thumb, const SqlCpData *in, SqlCpData *out)
{
    SqlCpData size = {0, NULL};
    SqlCpError code = operation(session, thumb, 1, NULL, 0, in, &size);
    if (code != SQLCP_INSUFFICIENT_BUFFER) {
        return code;
    }
    assert_true(size.cb <= out->cb);
    out->cb = size.cb;
    return operation(session, thumb, 1, NULL, 0, in, out);
}

SqlCpError ekm_encrypt(const struct ekm *ekm, const SqlCpSession *session, const SqlCpData *thumb,
                       const SqlCpData *plain, SqlCpData *out)
{
    return ekm_dance(ekm->Encrypt, session, thumb, plain, out);
}

SqlCpError ekm_decrypt(const struct ekm *ekm, const SqlCpSession *session, const SqlCpData *thumb,
                       const SqlCpData *cipher, SqlCpData *out)
{
    return ekm_dance(ekm->Decrypt, session, thumb, cipher, out);
}

void ready_open(struct ready *ready, struct sim *sim, const char *key)
{
    ready->sim = sim;
    sim_make_key(sim, key);
    ekm_load(&ready->ekm);
    assert_int_equal(ready->ekm.InitializeProvider(), SQLCP_SUCCESS);
    assert_int_equal(ekm_open(&ready->ekm, "contoso-vault", SIM_PASSWORD, &ready->session),
                     SQLCP_SUCCESS);
    ready->thumb.pb = ready->thumb_bytes;
    assert_int_equal(ekm_find(&ready->ekm, &ready->session, key, &ready->thumb), SQLCP_SUCCESS);
    uint8_t text[] = SIM_PLAIN;
    SqlCpData plain = {sizeof text, text};
    ready->cipher.pb = ready->cipher_bytes;
    ready->cipher.cb = sizeof ready->cipher_bytes;
    assert_int_equal(
        ekm_encrypt(&ready->ekm, &ready->session, &ready->thumb, &plain, &ready->cipher),
        SQLCP_SUCCESS);
}

void ready_close(struct ready *ready)
{
    assert_int_equal(ready->ekm.CloseSession(&ready->session, 0), SQLCP_SUCCESS);
    assert_int_equal(ready->ekm.FreeProvider(), SQLCP_SUCCESS);
    ekm_unload(&ready->ekm);
}

int ready_tear_down(void **state)
{
    struct ready *ready = *state;
    ready_close(ready);
    sim_stop(ready->sim);
    return 0;
}

SqlCpError ready_decrypt(const struct ready *ready)
{
    uint8_t bytes[512];
    SqlCpData plain = {sizeof bytes, bytes};
    SqlCpError code =
        ekm_decrypt(&ready->ekm, &ready->session, &ready->thumb, &ready->cipher, &plain);
    if (code == SQLCP_SUCCESS) {
        assert_int_equal(plain.cb, sizeof SIM_PLAIN);
        assert_memory_equal(bytes, SIM_PLAIN, sizeof SIM_PLAIN);
    }
    return code;
}
