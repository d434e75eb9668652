#include "operation.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RSA_2048 1

static const struct {
    const char *name, *key, *request; /* key: NULL: it has none of its own */
} table[OPERATIONS] = {
    [OPEN_SESSION] = {"OpenSession", NULL, "\"method\":\"GET\",\"path\":\"/keys?maxresults=1&\""},
    [BY_NAME] = {"GetKeyInfoByName", "by-name", "\"method\":\"GET\",\"path\":\"/keys/by-name\""},
    [BY_THUMB] = {"GetKeyInfoByThumb", "by-thumb",
                  "\"method\":\"GET\",\"path\":\"/keys/by-thumb\""},
    [EXPORT] = {"ExportKey", "export", "\"method\":\"GET\",\"path\":\"/keys/export\""},
    [LIST] = {"GetNextKeyId", NULL, "\"method\":\"GET\",\"path\":\"/keys?maxresults=25\""},
    [LISTED] = {"GetKeyInfoByKeyId", "a-second", "\"method\":\"GET\",\"path\":\"/keys/a-second\""},
    [LOOK] = {"CreateKey, looking", "taken", "\"method\":\"GET\",\"path\":\"/keys/taken\""},
    [CREATE] = {"CreateKey, making", NULL, "\"method\":\"POST\",\"path\":\"/keys/make-\""},
    [COLD] = {"Encrypt, cold", "cold", "\"method\":\"GET\",\"path\":\"/keys/cold\""},
    [ENCRYPT] = {"Encrypt", "encrypt", "\"method\":\"POST\",\"path\":\"/keys/encrypt\""},
    [DECRYPT] = {"Decrypt", "decrypt", "\"method\":\"POST\",\"path\":\"/keys/decrypt\""},
};

/* For the list: nothing but LISTED meets a fault in the second, and no operation in the others. */
static const char *const more_keys[] = {"a-first", "zz-last"};

#define KEYS (OPERATIONS + sizeof more_keys / sizeof more_keys[0])
static char *pems[KEYS];

static const char *key_name(size_t i)
{
    return i < OPERATIONS ? table[i].key : more_keys[i - OPERATIONS];
}

const char *operation_name(enum operation operation)
{
    return table[operation].name;
}

const char *operation_request(enum operation operation)
{
    return table[operation].request;
}

static SqlCpError by_thumb(const struct bench *bench, enum operation operation,
                           const SqlCpSession *session)
{
    uint16_t name[128];
    uint8_t bytes[32];
    SqlCpKeyInfo info = {{sizeof name, name}, {sizeof bytes, bytes}, 0, 0};
    return bench->ekm.GetKeyInfoByThumb(session, &bench->thumb[operation], &info);
}

static SqlCpError operation_create(const struct bench *bench, const char *text,
                                   const SqlCpSession *session)
{
    uint16_t units[32];
    uint8_t bytes[32];
    SqlCpData thumb = {sizeof bytes, bytes};
    SqlCpStr name = ekm_wide(text, units);
    return bench->ekm.CreateKey(session, &name, RSA_2048, 0, &thumb);
}

static SqlCpError create_another(const struct bench *bench, const SqlCpSession *session)
{
    static atomic_int last;
    char text[32];
    snprintf(text, sizeof text, "make-%d", atomic_fetch_add(&last, 1));
    return operation_create(bench, text, session);
}

/* "Refused, because the name exists" means that the look-up succeeded. */
static SqlCpError operation_look(const struct bench *bench, const SqlCpSession *session)
{
    SqlCpError code = operation_create(bench, table[LOOK].key, session);
    return code == SQLCP_FAILURE ? SQLCP_SUCCESS : code;
}

static SqlCpError operation_encrypt(const struct bench *bench, enum operation operation,
                                    const SqlCpSession *session, SqlCpData *out)
{
    uint8_t text[] = SIM_PLAIN;
    SqlCpData plain = {sizeof text, text};
    return ekm_encrypt(&bench->ekm, session, &bench->thumb[operation], &plain, out);
}

static SqlCpError operation_decrypt(const struct bench *bench, const SqlCpSession *session)
{
    uint8_t bytes[512];
    SqlCpData plain = {sizeof bytes, bytes};
    SqlCpError code =
        ekm_decrypt(&bench->ekm, session, &bench->thumb[DECRYPT], &bench->cipher, &plain);
    bool right = plain.cb == sizeof SIM_PLAIN && memcmp(bytes, SIM_PLAIN, sizeof SIM_PLAIN) == 0;
    return code == SQLCP_SUCCESS && !right ? -1 : code;
}

static SqlCpError operation_listed(const struct bench *bench, const SqlCpSession *session)
{
    uint16_t name[128];
    uint8_t bytes[32];
    SqlCpKeyInfo info = {{sizeof name, name}, {sizeof bytes, bytes}, 0, 0};
    return bench->ekm.GetKeyInfoByKeyId(session, 2, &info);
}

/* Each with a client secret of its own. */
static SqlCpError open_session(const struct bench *bench, enum operation operation,
                               SqlCpSession *session)
{
    char password[96];
    snprintf(password, sizeof password, "%s.%d", SIM_PASSWORD, (int)operation);
    return ekm_open(&bench->ekm, "contoso-vault", password, session);
}

/* The application gets these secrets, and may create keys. */
static void operation_admit(const struct bench *bench)
{
    char json[1024];
    int len = snprintf(json, sizeof json,
                       "{\"client_id\":\"11111111-2222-4333-8444-555555555555\",\"permissions\":"
                       "[\"all\"],\"secrets\":[\"" SIM_SECRET "\"");
    for (int i = 0; i < OPERATIONS; i++) {
        len += snprintf(json + len, sizeof json - (size_t)len, ",\"%s.%d\"", SIM_SECRET, i);
    }
    snprintf(json + len, sizeof json - (size_t)len, "]}");
    sim_ctl(&bench->sim, "POST", "/clients", json);
}

SqlCpError operation_prepare(struct bench *bench, enum operation operation, SqlCpSession *session)
{
    SqlCpError code = open_session(bench, operation, session);
    SqlCpKeyId id = SQLCP_INVALID_ID;
    if (code != SQLCP_SUCCESS || (operation != ENCRYPT && operation != LISTED)) {
        return code;
    }
    code = operation == ENCRYPT ? by_thumb(bench, ENCRYPT, session)
                                : bench->ekm.GetNextKeyId(session, &id);
    if (code != SQLCP_SUCCESS) {
        (void)bench->ekm.CloseSession(session, 0);
    }
    return code;
}

SqlCpError operation_perform(const struct bench *bench, enum operation operation,
                             SqlCpSession *session)
{
    SqlCpKeyId id = SQLCP_INVALID_ID;
    uint8_t bytes[1024];
    SqlCpData out = {sizeof bytes, bytes};
    SqlCpError code;
    switch (operation) {
    case OPEN_SESSION:
        code = open_session(bench, OPEN_SESSION, session);
        return code == SQLCP_SUCCESS ? bench->ekm.CloseSession(session, 0) : code;
    case BY_NAME:
        return ekm_find(&bench->ekm, session, table[BY_NAME].key, &out);
    case BY_THUMB:
        return by_thumb(bench, BY_THUMB, session);
    case EXPORT:
        return bench->ekm.ExportKey(session, &bench->thumb[EXPORT], NULL, SQLCP_PUBLIC_KEY_BLOB,
                                    &out);
    case LIST:
        return bench->ekm.GetNextKeyId(session, &id);
    case LISTED:
        return operation_listed(bench, session);
    case LOOK:
        return operation_look(bench, session);
    case CREATE:
        return create_another(bench, session);
    case COLD:
    case ENCRYPT:
        return operation_encrypt(bench, operation, session, &out);
    case DECRYPT:
        return operation_decrypt(bench, session);
    case OPERATIONS:
        break;
    }
    return -1;
}

SqlCpError operation_repeat(const struct bench *bench, enum operation operation, bool is_short,
                            SqlCpSession *session)
{
    return operation_perform(bench, operation == CREATE && is_short ? LOOK : operation, session);
}

void bench_make_keys(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (key_name(i) == NULL) {
            continue;
        }
        EVP_PKEY *key = EVP_RSA_gen(2048);
        BIO *bio = BIO_new(BIO_s_mem());
        char *text = NULL, *to;
        assert_true(key != NULL &&
                    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
        long len = BIO_get_mem_data(bio, &text);
        to = pems[i] = calloc(2, (size_t)len + 1);
        assert_non_null(to);
        for (long at = 0; at < len; at++) { /* as a JSON string */
            *to++ = text[at] == '\n' ? '\\' : text[at];
            if (text[at] == '\n') {
                *to++ = 'n';
            }
        }
        BIO_free(bio);
        EVP_PKEY_free(key);
    }
}

/* Into the vault, and those with an operation into the map. */
static void bring_keys(struct bench *bench, const SqlCpSession *session)
{
    char json[4096];
    for (size_t i = 0; i < KEYS; i++) {
        if (key_name(i) == NULL) {
            continue;
        }
        snprintf(json, sizeof json, "{\"vault\":\"" SIM_VAULT "\",\"name\":\"%s\",\"pem\":\"%s\"}",
                 key_name(i), pems[i]);
        sim_ctl(&bench->sim, "POST", "/keys", json);
        if (i < OPERATIONS) {
            bench->thumb[i].pb = bench->thumbs[i];
            assert_int_equal(ekm_find(&bench->ekm, session, key_name(i), &bench->thumb[i]),
                             SQLCP_SUCCESS);
        }
    }
}

void bench_start(struct bench *bench)
{
    SqlCpSession session;
    sim_start(&bench->sim, NULL, NULL);
    sim_configure(&bench->sim, "allow_create = yes");
    operation_admit(bench);
    ekm_load(&bench->ekm);
    assert_int_equal(bench->ekm.InitializeProvider(), SQLCP_SUCCESS);
    assert_int_equal(open_session(bench, OPEN_SESSION, &session), SQLCP_SUCCESS);
    bring_keys(bench, &session);
    bench->cipher = (SqlCpData){sizeof bench->cipher_bytes, bench->cipher_bytes};
    assert_int_equal(operation_encrypt(bench, DECRYPT, &session, &bench->cipher), SQLCP_SUCCESS);
    assert_int_equal(bench->ekm.CloseSession(&session, 0), SQLCP_SUCCESS);
    assert_int_equal(bench->ekm.FreeProvider(), SQLCP_SUCCESS);
}

void bench_stop(struct bench *bench)
{
    ekm_unload(&bench->ekm);
    sim_stop(&bench->sim);
}
