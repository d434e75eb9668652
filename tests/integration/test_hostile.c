/* Every export with every combination of arguments that no honest host passes. */
#include "hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CLOSING    5007
#define LONGEST_MS 40000 /* call_timeout_ms and then some */
#define MOST       0xFFFFFFFFu
#define EVEN_MOST  0xFFFFFFFEu
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

static struct sim sim;
static struct ready ready;
static SqlCpSession closed, forged[5];
static unsigned calls;

/* The first is right, all others are not. */
static const SqlCpSession *sessions[8];

/* The rules for each call, whatever its arguments. */
static SqlCpError hostile_judge(const char *export, SqlCpError code, long begin_ms)
{
    calls++;
    if (!hostile_is_documented(code)) {
        fail_msg("%s returned %d, which docs/errors.md does not know", export, code);
    }
    if (now_ms() - begin_ms > LONGEST_MS) {
        fail_msg("%s took %ld ms", export, now_ms() - begin_ms);
    }
    return code;
}
#define CALL(name, ...) hostile_judge(#name, ready.ekm.name(__VA_ARGS__), now_ms())

static const uint8_t bytes_600[600] = {1, 2, 3};

/* Values for a thumbprint, plain text or wrapped key, or for a buffer. */
static struct hostile_data data[16];
static size_t data_count;

static void add_data(const char *what, uint32_t cb, const void *bytes, size_t room)
{
    assert_true(data_count < COUNT(data));
    data[data_count++] =
        (struct hostile_data){what, cb, bytes != NULL ? hostile_guarded(bytes, room) : NULL, room};
}

static void make_data(void)
{
    add_data("right thumbprint", ready.thumb.cb, ready.thumb.pb, ready.thumb.cb);
    add_data("right cipher", ready.cipher.cb, ready.cipher.pb, ready.cipher.cb);
    add_data("empty, NULL", 0, NULL, 0);
    add_data("20, NULL", 20, NULL, 0);
    add_data("most, NULL", MOST, NULL, 0);
    add_data("empty", 0, bytes_600, 1);
    add_data("1", 1, bytes_600, 1);
    add_data("20 unknown", 20, bytes_600, 20);
    add_data("32", 32, bytes_600, 32);
    add_data("33", 33, bytes_600, 33);
    add_data("256 of garbage", 256, bytes_600, 256);
    add_data("600", 600, bytes_600, 600);
    add_data("most, 1", MOST, bytes_600, 1);
    add_data("most, 256", MOST, bytes_600, 256);
}

static SqlCpData *hostile_in(size_t i, SqlCpData *out)
{
    memcpy(&out->pb, &data[i].bytes, sizeof out->pb);
    out->cb = data[i].cb;
    return out;
}

/* A NULL beyond the last of the table. */
static const SqlCpData *in_or_null(size_t i, SqlCpData *out)
{
    return i < data_count ? hostile_in(i, out) : NULL;
}

/* Texts, with the code that a key name of this form gives at once; 0: it is a legal name. */
struct text {
    SqlCpError code;
    uint32_t cb;
    uint16_t units[6];
    size_t room, fill; /* bytes there; units of 'a' in front */
};
static const struct text texts[] = {
    {6, 4, {0}, 0, 0},                 /* a length, but NULL */
    {6, 1, {'a'}, 1, 0},               /* half a character */
    {6, 3, {'a', 'b'}, 3, 0},          /* one and a half */
    {6, MOST, {'a'}, 2, 0},            /* odd, and far too long */
    {2049, EVEN_MOST, {'a'}, 2, 0},    /* far too long */
    {2049, 514, {'a'}, 2, 0},          /* one character beyond the interface's limit */
    {2049, 0, {0}, 0, 256},            /* at that limit */
    {2049, 0, {0}, 0, 27},             /* one beyond ours */
    {0, 0, {0}, 0, 26},                /* at it */
    {3110, 0, {0}, 0, 0},              /* empty: see text_of */
    {3110, 2, {0xD800}, 2, 0},         /* half a pair */
    {3110, 2, {0xDC00}, 2, 0},         /* the other half */
    {3110, 4, {0xD800, 'a'}, 4, 0},    /* half a pair, then a letter */
    {3110, 4, {0xDC00, 0xD800}, 4, 0}, /* a pair the wrong way round */
    {3110, 4, {0xD83D, 0xDE00}, 4, 0}, /* a whole pair */
    {3110, 4, {'a', 0}, 4, 0},         /* NUL */
    {3110, 2, {0x00E4}, 2, 0},         /* a letter, but not of ours */
    {3110, 2, {0xFF41}, 2, 0},         /* one that looks like a */
    {3110, 2, {'/'}, 2, 0},
    {3110, 4, {'a', '/'}, 4, 0},
    {3110, 4, {'/', 'a'}, 4, 0},
    {3110, 10, {'a', '/', 'b', '/', 'c'}, 10, 0},
    {3110, 6, {'.', '.', '/'}, 6, 0},
    {3110, 6, {'a', '%', '2'}, 6, 0},
    {3110, 6, {'a', '?', 'b'}, 6, 0},
    {3110, 6, {'a', '\n', 'b'}, 6, 0},
    {0, 6, {'a', '/', 'b'}, 6, 0},
};

static SqlCpStr text_of(const struct text *text)
{
    uint16_t units[300];
    for (size_t i = 0; i < text->fill; i++) {
        units[i] = 'a';
    }
    if (text->fill > 0) {
        return (SqlCpStr){(uint32_t)(2 * text->fill), hostile_guarded(units, 2 * text->fill)};
    }
    return (SqlCpStr){text->cb, text->room > 0 ? hostile_guarded(text->units, text->room) : NULL};
}

/* Key info with both buffers in every state. */
static const struct hostile_data rooms[] = {
    {"NULL", 0, NULL, 0},           {"most, NULL", MOST, NULL, 0}, {"none", 0, bytes_600, 1},
    {"1", 1, bytes_600, 1},         {"19", 19, bytes_600, 19},     {"600", 600, bytes_600, 600},
    {"most", MOST, bytes_600, 600},
};

static void keep_to_rules(const char *export, SqlCpError code, const struct hostile_out *out)
{
    if (code != SQLCP_SUCCESS &&
        !hostile_out_is_untouched(out, code == SQLCP_INSUFFICIENT_BUFFER)) {
        fail_msg("%s returned %d and wrote into the output", export, code);
    }
}

typedef SqlCpError (*info_call)(const SqlCpSession *session, const void *argument,
                                SqlCpKeyInfo *info);

/* All states of a key info; gives the code of the last, where everything fits. */
static SqlCpError with_infos(const char *export, info_call call, const SqlCpSession *session,
                             const void *argument)
{
    SqlCpError code = call(session, argument, NULL);
    assert_int_equal(code, SQLCP_INVALID_ARGUMENT);
    for (size_t i = 0; i < COUNT(rooms); i++) {
        for (size_t k = 0; k < COUNT(rooms); k++) {
            struct hostile_out name, thumb;
            hostile_out_make(&name, &rooms[i]);
            hostile_out_make(&thumb, &rooms[k]);
            SqlCpKeyInfo info = {.algId = 77, .flags = 78};
            info.name.cb = name.data.cb;
            memcpy(&info.name.ws, &name.data.pb, sizeof info.name.ws);
            info.thumb = thumb.data;
            code = call(session, argument, &info);
            name.data.cb = info.name.cb;
            memcpy(&name.data.pb, &info.name.ws, sizeof name.data.pb);
            thumb.data = info.thumb;
            keep_to_rules(export, code, &name);
            keep_to_rules(export, code, &thumb);
            assert_true(code == SQLCP_SUCCESS || (info.algId == 77 && info.flags == 78));
            hostile_out_free(&name);
            hostile_out_free(&thumb);
            /* A call that is refused for the first output is refused for all. */
            if (code != SQLCP_SUCCESS && code != SQLCP_INSUFFICIENT_BUFFER) {
                return code;
            }
        }
    }
    return code;
}

static SqlCpError by_name(const SqlCpSession *session, const void *name, SqlCpKeyInfo *info)
{
    return CALL(GetKeyInfoByName, session, name, info);
}

static SqlCpError by_thumb(const SqlCpSession *session, const void *thumb, SqlCpKeyInfo *info)
{
    return CALL(GetKeyInfoByThumb, session, thumb, info);
}

static SqlCpError by_id(const SqlCpSession *session, const void *id, SqlCpKeyInfo *info)
{
    SqlCpKeyId value;
    memcpy(&value, id, sizeof value);
    return CALL(GetKeyInfoByKeyId, session, value, info);
}

static void test_names(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(sessions); s++) {
        for (size_t i = 0; i < COUNT(texts); i++) {
            const SqlCpStr name = text_of(&texts[i]);
            SqlCpError code = with_infos("GetKeyInfoByName", by_name, sessions[s], &name);
            SqlCpError expected = s > 0                ? SQLCP_INVALID_ARGUMENT
                                  : texts[i].code != 0 ? texts[i].code
                                                       : 3112;
            if (code != expected) {
                fail_msg("text %zu: %d instead of %d", i, code, expected);
            }
        }
        assert_int_equal(with_infos("GetKeyInfoByName", by_name, sessions[s], NULL),
                         SQLCP_INVALID_ARGUMENT);
    }
    uint16_t hostile[] = {'h', 'o', 's', 't', 'i', 'l', 'e'};
    const SqlCpStr right = {sizeof hostile, hostile_guarded(hostile, sizeof hostile)};
    assert_int_equal(with_infos("GetKeyInfoByName", by_name, sessions[0], &right), SQLCP_SUCCESS);
}

static void test_thumbprints_and_ids(void **state)
{
    static const SqlCpKeyId ids[] = {0, 1, 2, 1000, EVEN_MOST, MOST};
    (void)state;
    for (size_t s = 0; s < COUNT(sessions); s++) {
        for (size_t i = 0; i <= data_count; i++) {
            SqlCpData thumb;
            SqlCpError code =
                with_infos("GetKeyInfoByThumb", by_thumb, sessions[s], in_or_null(i, &thumb));
            assert_true(s == 0 || code == SQLCP_INVALID_ARGUMENT);
            assert_int_equal(code == SQLCP_SUCCESS, s == 0 && i == 0);
        }
        for (size_t i = 0; i < COUNT(ids); i++) {
            SqlCpKeyId id = ids[i];
            SqlCpError code = with_infos("GetKeyInfoByKeyId", by_id, sessions[s], &ids[i]);
            assert_int_equal(code == SQLCP_SUCCESS, s == 0 && ids[i] == 1);
            code = CALL(GetNextKeyId, sessions[s], &id);
            assert_int_equal(code == SQLCP_SUCCESS, s == 0 && ids[i] == 0);
            assert_int_equal(id, code == SQLCP_SUCCESS ? 1 : ids[i]);
        }
        assert_int_equal(CALL(GetNextKeyId, sessions[s], NULL), SQLCP_INVALID_ARGUMENT);
    }
}

static void test_export_and_import(void **state)
{
    static const SqlCpKeyBlobType types[] = {0, 1, 2, -1, INT32_MAX};
    (void)state;
    for (size_t s = 0; s < COUNT(sessions); s++) {
        for (size_t i = 0; i <= data_count; i++) {
            for (size_t o = 0; o < data_count * COUNT(types); o++) {
                SqlCpData thumb, encryptor;
                struct hostile_out blob;
                SqlCpKeyBlobType type = types[o % COUNT(types)];
                hostile_out_make(&blob, &data[o / COUNT(types)]);
                SqlCpError code = CALL(ExportKey, sessions[s], in_or_null(i, &thumb),
                                       o % 3 == 0 ? hostile_in(o % data_count, &encryptor) : NULL,
                                       type, &blob.data);
                keep_to_rules("ExportKey", code, &blob);
                assert_true(s == 0 || code == SQLCP_INVALID_ARGUMENT);
                hostile_out_free(&blob);
            }
            SqlCpData thumb, room;
            assert_int_not_equal(CALL(ExportKey, sessions[s], in_or_null(i, &thumb), NULL, 1, NULL),
                                 SQLCP_SUCCESS);
            const SqlCpStr name = text_of(&texts[i]);
            assert_int_equal(CALL(ImportKey, sessions[s], i % 2 == 0 ? &name : NULL,
                                  in_or_null(i, &thumb), 0, MOST, in_or_null(i / 2, &room)),
                             s == 0 ? SQLCP_NOT_SUPPORTED : SQLCP_INVALID_ARGUMENT);
        }
    }
}

/* Parameters are never looked at: their pointer leads nowhere. */
static void crypt_both(const SqlCpSession *session, size_t key, size_t from, size_t to,
                       size_t round)
{
    static const SqlCpBoolean finals[] = {1, 1, 255, 0};
    const SqlCpEncryptionParam *nowhere = NULL;
    const uintptr_t bad = 16;
    SqlCpData thumb, input;
    struct hostile_out output;
    SqlCpBoolean final = finals[round % COUNT(finals)];
    if (round % 2 != 0) {
        memcpy(&nowhere, &bad, sizeof nowhere);
    }
    for (int decrypt = 0; decrypt < 2; decrypt++) {
        hostile_out_make(&output, to < data_count ? &data[to] : &rooms[0]);
        SqlCpError code =
            decrypt == 0 ? CALL(Encrypt, session, in_or_null(key, &thumb), final, nowhere, MOST,
                                in_or_null(from, &input), to < data_count ? &output.data : NULL)
                         : CALL(Decrypt, session, in_or_null(key, &thumb), final, nowhere, MOST,
                                in_or_null(from, &input), to < data_count ? &output.data : NULL);
        keep_to_rules(decrypt == 0 ? "Encrypt" : "Decrypt", code, &output);
        assert_true(session == sessions[0] || code == SQLCP_INVALID_ARGUMENT);
        assert_true(code != SQLCP_SUCCESS || key == 0);
        hostile_out_free(&output);
    }
}

static void test_encrypt_and_decrypt(void **state)
{
    (void)state;
    size_t round = 0;
    for (size_t s = 0; s < COUNT(sessions); s++) {
        for (size_t key = 0; key <= data_count; key++) {
            for (size_t from = 0; from <= data_count; from++) {
                for (size_t to = 0; to <= data_count; to++) {
                    /* Garbage is not decrypted with every output: each costs three requests. */
                    bool costly = s == 0 && (from == 1 || data[from % data_count].cb == 256);
                    if (!costly || to % 4 == 0) {
                        crypt_both(sessions[s], key, from, to, round++);
                    }
                }
            }
        }
    }
}

static void test_create_and_drop(void **state)
{
    static const SqlCpAlgId algorithms[] = {1, 3, 0, 4, MOST};
    (void)state;
    for (size_t s = 0; s < COUNT(sessions); s++) {
        for (size_t i = 0; i < COUNT(texts); i++) {
            const SqlCpStr name = text_of(&texts[i]);
            for (size_t o = 0; o < data_count; o++) {
                struct hostile_out thumb;
                hostile_out_make(&thumb, &data[o]);
                SqlCpError code = CALL(CreateKey, sessions[s], o % 7 == 6 ? NULL : &name,
                                       algorithms[o % COUNT(algorithms)], MOST, &thumb.data);
                keep_to_rules("CreateKey", code, &thumb);
                assert_int_not_equal(code, SQLCP_SUCCESS);
                assert_true(s == 0 || code == SQLCP_INVALID_ARGUMENT);
                hostile_out_free(&thumb);
            }
            assert_int_equal(CALL(CreateKey, sessions[s], &name, 1, 0, NULL),
                             SQLCP_INVALID_ARGUMENT);
        }
        for (size_t i = 0; i <= data_count; i++) {
            SqlCpData thumb;
            SqlCpError code = CALL(DropKey, sessions[s], in_or_null(i, &thumb));
            assert_int_not_equal(code, SQLCP_SUCCESS);
            assert_true(s == 0 || code == SQLCP_INVALID_ARGUMENT);
        }
    }
}

static void test_sessions(void **state)
{
    (void)state;
    for (size_t s = 1; s < COUNT(sessions); s++) {
        SqlCpSession copy = sessions[s] != NULL ? *sessions[s] : NULL;
        for (int abort = 0; abort < 256; abort += 51) {
            assert_int_equal(
                CALL(CloseSession, sessions[s] != NULL ? &copy : NULL, (SqlCpBoolean)abort),
                SQLCP_INVALID_ARGUMENT);
        }
    }
}

static void test_credentials(void **state)
{
    static const struct {
        SqlCpError code;
        uint32_t name_cb, name_room, password_cb, password_room; /* room 0: NULL */
        uint16_t name_unit, password_unit;
    } rows[] = {
        {5002, 0, 0, 64, 64, 'a', 'a'},
        {6, 2, 0, 64, 64, 'a', 'a'},
        {6, 1, 1, 64, 64, 'a', 'a'},
        {6, MOST, 1, 64, 64, 'a', 'a'},
        {5002, EVEN_MOST, 2, 64, 64, 'a', 'a'},
        {5002, 1026, 2, 64, 64, 'a', 'a'},
        {5002, 1024, 1024, 64, 64, 'a', 'a'},
        {5002, 2, 2, 64, 64, 0xD800, 'a'},
        {5002, 6, 6, 64, 64, 0, 'a'},
        {5002, 6, 6, 64, 64, 0x00E4, 'a'},
        {2050, 6, 6, 0, 0, 'a', 'a'},
        {6, 6, 6, 2, 0, 'a', 'a'},
        {6, 6, 6, 63, 63, 'a', 'a'},
        {6, 6, 6, MOST, 1, 'a', 'a'},
        {6, 6, 6, EVEN_MOST, 2, 'a', 'a'},
        {6, 6, 6, 4098, 2, 'a', 'a'},
        {2050, 6, 6, 62, 62, 'a', 'a'},
        {2050, 6, 6, 64, 64, 'a', 'a'},
        {3303, 6, 6, 66, 66, 'a', 'x'},
        {6, 6, 6, 66, 66, 'a', 0xDC00},
        {6, 6, 6, 66, 66, 'a', 0},
        {3303, 6, 6, 4096, 4096, 'a', 'x'},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint16_t name[600], password[2100];
        for (size_t k = 0; k < COUNT(password); k++) {
            name[k % COUNT(name)] = rows[i].name_unit;
            password[k] = rows[i].password_unit;
        }
        SqlCpCredential credential = {{rows[i].name_cb, NULL}, {rows[i].password_cb, NULL}};
        if (rows[i].name_room > 0) {
            credential.name.ws = hostile_guarded(name, rows[i].name_room);
        }
        if (rows[i].password_room > 0) {
            credential.password.ws = hostile_guarded(password, rows[i].password_room);
        }
        SqlCpSession session = &calls;
        SqlCpError code = CALL(OpenSession, &credential, &session);
        if (code != rows[i].code) {
            fail_msg("credential %zu: %d instead of %d", i, code, rows[i].code);
        }
        assert_ptr_equal(session, &calls);
        assert_int_equal(CALL(OpenSession, &credential, NULL), SQLCP_INVALID_ARGUMENT);
        assert_int_equal(CALL(OpenSession, NULL, &session), SQLCP_INVALID_ARGUMENT);
        assert_ptr_equal(session, &calls);
    }
}

static void test_provider_and_algorithms(void **state)
{
    static const SqlCpAlgId ids[] = {0, 1, 2, 3, 4, EVEN_MOST, MOST};
    (void)state;
    assert_int_equal(CALL(GetProviderInfo, NULL), SQLCP_INVALID_ARGUMENT);
    assert_int_equal(CALL(GetNextAlgorithmId, NULL), SQLCP_INVALID_ARGUMENT);
    for (size_t o = 0; o < data_count; o++) {
        struct hostile_out name;
        hostile_out_make(&name, &data[o]);
        SqlCpProviderInfo info = {.name = {name.data.cb, NULL}, .authType = 99};
        memcpy(&info.name.ws, &name.data.pb, sizeof info.name.ws);
        SqlCpError code = CALL(GetProviderInfo, &info);
        name.data.cb = info.name.cb;
        keep_to_rules("GetProviderInfo", code, &name);
        assert_true(code == SQLCP_SUCCESS || info.authType == 99);
        hostile_out_free(&name);
        for (size_t i = 0; i < COUNT(ids); i++) {
            SqlCpAlgId id = ids[i];
            code = CALL(GetNextAlgorithmId, &id);
            assert_int_equal(code == SQLCP_SUCCESS, ids[i] < 3);
            assert_int_equal(CALL(GetAlgorithmInfo, ids[i], NULL), SQLCP_INVALID_ARGUMENT);
            hostile_out_make(&name, &data[o]);
            SqlCpAlgorithmInfo algorithm = {.algTag = {name.data.cb, NULL}, .bitLen = 99};
            memcpy(&algorithm.algTag.ws, &name.data.pb, sizeof algorithm.algTag.ws);
            code = CALL(GetAlgorithmInfo, ids[i], &algorithm);
            name.data.cb = algorithm.algTag.cb;
            keep_to_rules("GetAlgorithmInfo", code, &name);
            assert_true(code == SQLCP_SUCCESS || algorithm.bitLen == 99);
            hostile_out_free(&name);
        }
    }
}

/* How many of the calls that need a started provider give something else than 5007. */
static int not_refused(void)
{
    const struct ekm *ekm = &ready.ekm;
    SqlCpSession session = *sessions[0];
    SqlCpKeyId id = 0;
    SqlCpData cipher = ready.cipher;
    const SqlCpError codes[] = {ekm->OpenSession(NULL, NULL),
                                ekm->OpenSession(NULL, &session),
                                ekm->CloseSession(&session, 1),
                                ekm->CloseSession(NULL, 0),
                                ekm->CreateKey(&session, NULL, 1, 0, NULL),
                                ekm->DropKey(&session, &ready.thumb),
                                ekm->GetNextKeyId(&session, &id),
                                ekm->GetNextKeyId(NULL, NULL),
                                ekm->GetKeyInfoByKeyId(&session, 1, NULL),
                                ekm->GetKeyInfoByThumb(&session, &ready.thumb, NULL),
                                ekm->GetKeyInfoByName(&session, NULL, NULL),
                                ekm->ExportKey(&session, &ready.thumb, NULL, 1, NULL),
                                ekm->ImportKey(&session, NULL, NULL, 1, 0, NULL),
                                ekm->Encrypt(&session, &ready.thumb, 1, NULL, 0, NULL, NULL),
                                ekm->Decrypt(&session, &ready.thumb, 1, NULL, 0, &cipher, &cipher),
                                ekm->Decrypt(NULL, NULL, 0, NULL, MOST, NULL, NULL)};
    int others = 0;
    for (size_t i = 0; i < COUNT(codes); i++) {
        others += codes[i] != CLOSING;
    }
    return others;
}

/* In a forked child even what works in any state is refused. */
static void test_forked_child(void **state)
{
    int status = -1;
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct ekm *ekm = &ready.ekm;
        const SqlCpError codes[] = {ekm->InitializeProvider(), ekm->GetProviderInfo(NULL),
                                    ekm->GetNextAlgorithmId(NULL), ekm->GetAlgorithmInfo(1, NULL),
                                    ekm->FreeProvider()};
        int others = not_refused();
        for (size_t i = 0; i < COUNT(codes); i++) {
            others += codes[i] != CLOSING;
        }
        _exit(others);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
}

/* After everything: what an honest host asks for still works, and nothing does outside. */
static void test_outside(void **state)
{
    (void)state;
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS);
    assert_int_equal(not_refused(), 0);
    assert_int_equal(ready.ekm.FreeProvider(), SQLCP_SUCCESS); /* one too many */
    assert_int_equal(not_refused(), 0);
    assert_int_equal(ready.ekm.InitializeProvider(), SQLCP_SUCCESS);
    /* A handle of the time before. */
    assert_int_equal(ready_decrypt(&ready), SQLCP_INVALID_ARGUMENT);
    assert_int_equal(ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &ready.session), 0);
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    print_message("%u calls\n", calls);
}

static void hostile_forge(size_t i, uint64_t value)
{
    memcpy(&forged[i], &value, sizeof value);
}

static bool traced; /* the second time: with a recording of all calls */

static int hostile_start(void **state)
{
    uint64_t right;
    char line[128];
    *state = &ready;
    sim_start(&sim, NULL, NULL);
    sim_configure(&sim, "allow_create = yes");
    sim_configure(&sim, "allow_drop = yes");
    sim_configure(&sim, "log_level = error");
    if (traced) {
        (void)snprintf(line, sizeof line, "trace_file = %s/trace", sim.folder);
        sim_configure(&sim, line);
    }
    ready_open(&ready, &sim, "hostile");
    assert_int_equal(ekm_open(&ready.ekm, "contoso-vault", SIM_PASSWORD, &closed), 0);
    assert_int_equal(ready.ekm.CloseSession(&closed, 0), SQLCP_SUCCESS);
    memcpy(&right, &ready.session, sizeof right);
    hostile_forge(0, 0);
    hostile_forge(1, UINT64_MAX);
    hostile_forge(2, right + 1);
    hostile_forge(3, right + 0x10000);
    hostile_forge(4, right | 0xFFFF);
    sessions[0] = &ready.session;
    sessions[1] = NULL;
    sessions[2] = &closed;
    for (size_t i = 0; i < COUNT(forged); i++) {
        sessions[3 + i] = &forged[i];
    }
    data_count = 0;
    make_data();
    return 0;
}

static int hostile_finish(void **state)
{
    char *recording = sim_file(&sim, "trace");
    assert_int_equal(strstr(recording, " Decrypt session=") != NULL, traced);
    assert_null(strstr(recording, SIM_PLAIN));
    free(recording);
    return ready_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_thumbprints_and_ids),
        cmocka_unit_test(test_export_and_import),
        cmocka_unit_test(test_encrypt_and_decrypt),
        cmocka_unit_test(test_create_and_drop),
        cmocka_unit_test(test_provider_and_algorithms),
        cmocka_unit_test(test_forked_child),
        cmocka_unit_test(test_outside),
    };
    int failed = cmocka_run_group_tests(tests, hostile_start, hostile_finish);
    traced = true;
    return failed + cmocka_run_group_tests(tests, hostile_start, hostile_finish);
}
