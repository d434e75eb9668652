/* The 17 exports, called by a random host, against an Azure that answers anything. Every code is
 * documented, nothing is written beyond a buffer, no success is false, no secret goes where it must
 * not. */
#include "service.h"

// aims: src/abi src/provider src/vault src/keymap src/discovery src/net/http_retry.c
// wrap: http_perform http_perform_all http_start http_stop
// wrap: plat_now_ms plat_unix_time_ms plat_cond_wait_until plat_random
// with: memory_files.c service.c ../unit/scripted_http.c ../unit/fake_clock.c

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/exports.c" // NOLINT(bugprone-suspicious-include): the doors themselves
#include "base/text.h"
#include "fake_clock.h"
#include "memory_files.h"

enum ekm_rc __wrap_http_start(const struct config *config, char *reason, size_t reason_cap);
void __wrap_http_stop(void);
bool __wrap_plat_random(void *out, size_t len);

#define SESSIONS 3
#define CALLS    24

static struct service service;
static struct fuzz_input script;
static SqlCpSession sessions[SESSIONS];
static struct thumbprint found; /* what GetKeyInfoByName gave last */
static uint32_t random_state;

enum ekm_rc __wrap_http_start(const struct config *config, char *reason, size_t reason_cap)
{
    (void)config;
    (void)reason;
    (void)reason_cap;
    return EKM_OK;
}

void __wrap_http_stop(void)
{
}

/* The same input does the same. */
bool __wrap_plat_random(void *out, size_t len)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < len; i++) {
        random_state = random_state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(random_state >> 24);
    }
    return true;
}

static void check_code(SqlCpError code)
{
    bool known = false;
    for (int i = 0; i < EKM_RC_COUNT; i++) {
        known = known || (ekm_code((enum ekm_rc)i) == code && i != EKM_INTERNAL);
    }
    FUZZ_CHECK(known);
}

static void check_log_line(const char *line, size_t len)
{
    FUZZ_CHECK(memmem(line, len, service.marker, 16) == NULL);
    for (size_t i = 0; i < len; i++) {
        FUZZ_CHECK(line[i] >= ' ' && line[i] <= '~');
    }
}

static void calls_configure(void)
{
    static char text[512];
    uint8_t choice = fuzz_byte(&script), more = fuzz_byte(&script);
    int len =
        snprintf(text, sizeof text,
                 "keymap_file = " MEMORY_MAP "\nlog_file = " MEMORY_LOG "\n"
                 "log_level = debug\nallow_create = %s\nallow_drop = %s\nverify_wrap = %s\n"
                 "wrap_locally = %s\nreport_3072_as_2048 = %s\n%s%s",
                 choice & 1 ? "yes" : "no", choice & 2 ? "yes" : "no", choice & 4 ? "yes" : "no",
                 choice & 8 ? "yes" : "no", choice & 16 ? "yes" : "no",
                 choice & 32 ? "provider_guid = AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE\n" : "",
                 choice & 64 ? "unwrap_algorithms = RSA1_5, RSA-OAEP\n" : "");
    memory_file_set(&memory_config, text, (size_t)len);
    if (more == 255) {
        memory_file_remove(&memory_config);
    }
    memory_file_remove(&memory_map);
    memory_file_remove(&memory_tenants);
    if (more % 2 != 0) {
        memory_file_set(&memory_map, "# mine\n", 7);
    }
    if (more % 3 == 2) {
        memory_file_set(&memory_tenants, FUZZ_HOST "\tt.former\n", sizeof FUZZ_HOST + 10);
    }
}

/* Text of the host, in memory of its own size. The caller frees. */
static SqlCpStr calls_wide(const char *text)
{
    size_t len = strlen(text);
    uint16_t *units = calloc(len + 1, sizeof *units);
    FUZZ_CHECK(units != NULL);
    size_t count = text_to_utf16(text, units, len);
    return (SqlCpStr){(uint32_t)(2 * count), units};
}

static SqlCpStr odd_text(void)
{
    size_t len;
    uint8_t *bytes = fuzz_bytes(&script, fuzz_byte(&script), &len);
    return (SqlCpStr){(uint32_t)len, (uint16_t *)(void *)bytes};
}

static SqlCpData bytes_of(const void *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    FUZZ_CHECK(copy != NULL);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    return (SqlCpData){(uint32_t)len, copy};
}

static SqlCpData odd_data(void)
{
    size_t len;
    uint8_t *bytes = fuzz_bytes(&script, fuzz_byte(&script), &len);
    return (SqlCpData){(uint32_t)len, bytes};
}

static SqlCpData calls_thumbprint(void)
{
    struct thumbprint known;
    uint8_t choice = fuzz_byte(&script);
    if (choice < 100 && found.len > 0) {
        return bytes_of(found.bytes, found.len);
    }
    if (choice < 220) {
        service_thumbprint(choice % SERVICE_KEYS, &known);
        return bytes_of(known.bytes, known.len);
    }
    return odd_data();
}

/* Room for an answer: none, too little, just enough, plenty. */
static SqlCpData calls_room(void)
{
    static const uint32_t sizes[] = {0, 1, 19, 20, 32, 256, 384, 512, 600};
    uint8_t choice = fuzz_byte(&script);
    uint32_t size = sizes[choice % 9];
    return (SqlCpData){size, choice >= 225 ? NULL : malloc(size > 0 ? size : 1)};
}

static const SqlCpSession *calls_session(SqlCpSession *forged)
{
    uint8_t choice = fuzz_byte(&script);
    if (choice < 240) {
        return &sessions[choice % SESSIONS];
    }
    *forged = (SqlCpSession)(uintptr_t)((uint64_t)fuzz_number(&script) << 16 | choice % 4);
    return choice == 255 ? NULL : forged;
}

static void open_session(void)
{
    static const char *const identities[] = {
        "contoso-vault",     "https://Contoso-Vault.vault.azure.net/", "pool.managedhsm.azure.net",
        "login.windows.net", "contoso-vault.vault.azure.net:443",      "fabrikam.vault.azure.cn"};
    char secret[128];
    uint8_t who = fuzz_byte(&script), what = fuzz_byte(&script);
    (void)text_format(secret, sizeof secret, "%s%s",
                      what % 2 != 0 ? "11111111-2222-4333-8444-555555555555"
                                    : "11111111222243338444555555555555",
                      what % 16 == 15 ? "" : service.secret);
    SqlCpCredential auth;
    auth.name = who < 200 ? calls_wide(identities[who % 6]) : odd_text();
    auth.password = what < 240 ? calls_wide(secret) : odd_text();
    SqlCpSession *to = &sessions[what % SESSIONS];
    (void)SqlCryptCloseSession(to, 0);
    check_code(SqlCryptOpenSession(who == 255 ? NULL : &auth, what == 255 ? NULL : to));
    free(auth.name.ws);
    free(auth.password.ws);
}

static void close_session(void)
{
    SqlCpSession forged = NULL;
    SqlCpSession *one = (SqlCpSession *)(uintptr_t)calls_session(&forged);
    check_code(SqlCryptCloseSession(one, fuzz_byte(&script) % 2));
}

static SqlCpStr key_name(void)
{
    static const char *const others[] = {"Odd/v1", "TdeKey/v1", "none", "Mid/", "tdekey"};
    uint8_t choice = fuzz_byte(&script);
    return choice < 128   ? calls_wide(service_key_name(choice % SERVICE_KEYS))
           : choice < 220 ? calls_wide(others[choice % 5])
                          : odd_text();
}

static bool map_holds(const struct thumbprint *one)
{
    char hex[2 * THUMBPRINT_MAX_BYTES + 1];
    thumbprint_text(one, hex);
    return memory_map.len > 0 && memmem(memory_map.data, memory_map.len, hex, strlen(hex)) != NULL;
}

static SqlCpKeyInfo info_room(void)
{
    SqlCpData name = calls_room(), thumb = calls_room();
    return (SqlCpKeyInfo){{name.cb, (uint16_t *)(void *)name.pb}, thumb, 0, 0};
}

static void check_info(SqlCpError code, const SqlCpKeyInfo *given, const SqlCpKeyInfo *got)
{
    check_code(code);
    FUZZ_CHECK(given->name.ws == got->name.ws && given->thumb.pb == got->thumb.pb);
    if (code == SQLCP_SUCCESS) {
        FUZZ_CHECK(got->name.cb <= given->name.cb && got->thumb.cb <= given->thumb.cb);
        FUZZ_CHECK(got->algId >= 1 && got->algId <= 3 && got->flags == SQLCP_KEY_FLAG_SUPPORTED);
    }
}

/* Success: the map has the thumbprint for good. */
static void info_by_name(void)
{
    SqlCpSession forged = NULL;
    SqlCpStr name = key_name();
    SqlCpKeyInfo given = info_room(), got = given;
    SqlCpError code = SqlCryptGetKeyInfoByName(calls_session(&forged), &name, &got);
    check_info(code, &given, &got);
    if (code == SQLCP_SUCCESS) {
        FUZZ_CHECK(thumbprint_set(&found, got.thumb.pb, got.thumb.cb) && map_holds(&found));
    }
    free(name.ws);
    free(given.name.ws);
    free(given.thumb.pb);
}

static void info_by_other(bool by_thumbprint)
{
    SqlCpSession forged = NULL;
    SqlCpData thumb = calls_thumbprint();
    SqlCpKeyInfo given = info_room(), got = given;
    SqlCpKeyId id = fuzz_byte(&script) % 8;
    check_info(by_thumbprint ? SqlCryptGetKeyInfoByThumb(calls_session(&forged), &thumb, &got)
                             : SqlCryptGetKeyInfoByKeyId(calls_session(&forged), id, &got),
               &given, &got);
    check_code(SqlCryptGetNextKeyId(calls_session(&forged), by_thumbprint ? NULL : &id));
    free(thumb.pb);
    free(given.name.ws);
    free(given.thumb.pb);
}

static void check_out(SqlCpError code, const SqlCpData *given, const SqlCpData *got)
{
    check_code(code);
    FUZZ_CHECK(given->pb == got->pb && (code != SQLCP_SUCCESS || got->cb <= given->cb));
    FUZZ_CHECK(code != SQLCP_INSUFFICIENT_BUFFER || got->cb <= RSA_MAX_BYTES + 28);
}

/* A size query sends no wrapkey; a success is what the vault wrapped. */
static void calls_encrypt(void)
{
    SqlCpSession forged = NULL;
    unsigned wraps = service.wraps;
    SqlCpData thumb = calls_thumbprint(), given = calls_room(), got = given;
    uint8_t choice = fuzz_byte(&script);
    SqlCpData plain = choice < 200 ? bytes_of(service.plain, strlen(service.plain)) : odd_data();
    SqlCpError code = SqlCryptEncrypt(calls_session(&forged), &thumb, choice != 199, NULL, 0,
                                      choice == 198 ? NULL : &plain, &got);
    check_out(code, &given, &got);
    if (code == SQLCP_SUCCESS) {
        FUZZ_CHECK(got.cb == 256 || got.cb == 384 || got.cb == 512);
    } else if (code == SQLCP_INSUFFICIENT_BUFFER) {
        FUZZ_CHECK(service.wraps == wraps && (given.pb == NULL || given.cb < got.cb));
    }
    free(thumb.pb);
    free(given.pb);
    free(plain.pb);
}

/* A success is what the vault unwrapped, whole. */
static void calls_decrypt(void)
{
    static const uint8_t cipher_text[600] = {0xA5};
    static const uint32_t lengths[] = {256, 384, 512, 255, 0};
    SqlCpSession forged = NULL;
    unsigned unwraps = service.unwraps;
    SqlCpData thumb = calls_thumbprint(), given = calls_room(), got = given;
    uint8_t choice = fuzz_byte(&script);
    SqlCpData cipher = bytes_of(cipher_text, lengths[choice < 200 ? choice % 3 : choice % 5]);
    SqlCpError code =
        SqlCryptDecrypt(calls_session(&forged), &thumb, choice != 199, NULL, 0, &cipher, &got);
    check_out(code, &given, &got);
    if (code == SQLCP_SUCCESS && !service.strange) {
        FUZZ_CHECK(got.pb != NULL && got.cb == strlen(service.plain));
        FUZZ_CHECK(memcmp(got.pb, service.plain, got.cb) == 0);
    }
    if (given.pb == NULL || given.cb == 0) {
        FUZZ_CHECK(service.unwraps == unwraps && code != SQLCP_SUCCESS);
    }
    free(thumb.pb);
    free(given.pb);
    free(cipher.pb);
}

static void export_key(void)
{
    SqlCpSession forged = NULL;
    SqlCpData thumb = calls_thumbprint(), given = calls_room(), got = given;
    uint8_t choice = fuzz_byte(&script);
    SqlCpError code = SqlCryptExportKey(calls_session(&forged), &thumb,
                                        choice < 250 ? NULL : &thumb, choice % 16 != 15, &got);
    check_out(code, &given, &got);
    FUZZ_CHECK(code != SQLCP_SUCCESS || (got.pb != NULL && memcmp(got.pb, "RSA1", 4) == 0));
    check_code(SqlCryptImportKey(calls_session(&forged), NULL, NULL, 1, 0, &thumb));
    free(thumb.pb);
    free(given.pb);
}

static void create_or_drop(bool create)
{
    SqlCpSession forged = NULL;
    SqlCpStr name = key_name();
    SqlCpData thumb = calls_thumbprint(), given = calls_room(), got = given;
    if (create) {
        SqlCpAlgId algorithm = fuzz_byte(&script) % 5;
        SqlCpError code = SqlCryptCreateKey(calls_session(&forged), &name, algorithm, 0, &got);
        struct thumbprint made;
        check_out(code, &given, &got);
        FUZZ_CHECK(code != SQLCP_SUCCESS ||
                   (thumbprint_set(&made, got.pb, got.cb) && map_holds(&made)));
    } else {
        check_code(SqlCryptDropKey(calls_session(&forged), &thumb));
    }
    free(name.ws);
    free(thumb.pb);
    free(given.pb);
}

/* These work in any state. */
static void ask_provider(void)
{
    SqlCpData given = calls_room();
    SqlCpProviderInfo info = {.name = {given.cb, (uint16_t *)(void *)given.pb}};
    SqlCpAlgorithmInfo algorithm = {.algTag = {given.cb, (uint16_t *)(void *)given.pb}};
    SqlCpAlgId id = fuzz_byte(&script) % 6;
    SqlCpError code = SqlCryptGetProviderInfo(&info);
    FUZZ_CHECK(code == SQLCP_SUCCESS ? info.name.cb <= given.cb
                                     : code == SQLCP_INSUFFICIENT_BUFFER);
    check_code(SqlCryptGetAlgorithmInfo(id, &algorithm));
    check_code(SqlCryptGetNextAlgorithmId(&id));
    free(given.pb);
}

static void change_life(void)
{
    uint8_t choice = fuzz_byte(&script);
    check_code(choice % 2 == 0 ? SqlCryptInitializeProvider() : SqlCryptFreeProvider());
}

/* Another process, an editor, a full disk. */
static void change_map(void)
{
    static const char text[] = FUZZ_HOST "\tC0FFEE\thttps://" FUZZ_HOST "/keys/TdeKey/v2\nbroken";
    uint8_t choice = fuzz_byte(&script);
    if (choice % 4 == 0) {
        memory_file_remove(&memory_map);
    } else if (choice % 4 == 1) {
        memory_file_set(&memory_map, text, sizeof text - 1);
    } else {
        memory_map.fails = choice % 4 == 2 ? PLAT_IO_FULL : PLAT_IO_OK;
    }
}

static void calls_step(uint8_t what)
{
    switch (what % 16) {
    case 0:
    case 1:
        open_session();
        break;
    case 2:
        close_session();
        break;
    case 3:
    case 4:
        info_by_name();
        break;
    case 5:
    case 6:
        info_by_other(what % 16 == 5);
        break;
    case 7:
    case 8:
        calls_encrypt();
        break;
    case 9:
    case 10:
        calls_decrypt();
        break;
    case 11:
        export_key();
        break;
    case 12:
        create_or_drop(what >= 128);
        break;
    case 13:
        ask_provider();
        break;
    case 14:
        fake_clock_advance((uint64_t)fuzz_byte(&script) << (what >> 4));
        break;
    default:
        what < 64 ? change_life() : change_map();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    script = (struct fuzz_input){data, size};
    service_begin(&service, &script);
    memset(sessions, 0, sizeof sessions);
    memset(&found, 0, sizeof found);
    random_state = 1;
    fake_clock_reset();
    scripted_http_serve(service_answer, &service);
    memory_log_line = check_log_line;
    FUZZ_CHECK(setenv("AKVEKM_CONFIG", MEMORY_CONFIG, 1) == 0);
    calls_configure();
    check_code(SqlCryptInitializeProvider());
    for (int calls = 0; script.left > 0 && calls < CALLS; calls++) {
        calls_step(fuzz_byte(&script));
    }
    SqlCpKeyId id = 0;
    for (int i = 0; SqlCryptGetNextKeyId(NULL, &id) != ekm_code(EKM_CLOSING); i++) {
        FUZZ_CHECK(i < CALLS + 1 && SqlCryptFreeProvider() == SQLCP_SUCCESS);
    }
    return 0;
}
