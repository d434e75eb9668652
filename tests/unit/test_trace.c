/* The recording of the host's calls: the content of a line, what it never contains, and its size.
 */
// only: posix
// wrap: entry_begin entry_end log_text
// with: scratch.c
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"
#include "provider/entry.h"
#include "provider/trace.h"
#include "provider/trace_calls.h"
#include "scratch.h"

static struct config config;
static char content[2 * 1024 * 1024];

static void test_trace_start(void)
{
    config_defaults(&config);
    (void)text_copy(config.trace_file, sizeof config.trace_file, path);
    config.trace_file_mb = 1;
    trace_start(&config);
}

static int tear_down(void **state)
{
    trace_stop();
    return remove_folder(state);
}

static int entries, lines_inside;

bool __wrap_entry_begin(struct entry_point *entry, const char *operation);
bool __wrap_entry_begin(struct entry_point *entry, const char *operation)
{
    (void)operation;
    entry->inside = true;
    entry->rc = EKM_OK;
    entries++;
    return true;
}

SqlCpError __wrap_entry_end(struct entry_point *entry);
SqlCpError __wrap_entry_end(struct entry_point *entry)
{
    assert_true(entry->inside);
    entries--;
    return ekm_code(entry->rc);
}

/* Outside an entry the thread may be a login, whose file the log would become. */
void __wrap_log_text(enum log_level level, uint64_t call_number, const char *operation,
                     const char *format, ...);
void __wrap_log_text(enum log_level level, uint64_t call_number, const char *operation,
                     const char *format, ...)
{
    (void)level;
    (void)call_number;
    (void)operation;
    (void)format;
    assert_int_equal(entries, 1);
    lines_inside++;
}

/* All that was written; behind `# ...` and its line break. */
static const char *trace_recorded(void)
{
    size_t len = 0;
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        len = fread(content, 1, sizeof content - 1, file);
        assert_int_equal(fclose(file), 0);
    }
    content[len] = '\0';
    return content;
}

static SqlCpError crypt_call(const SqlCpSession *session, const SqlCpKeyThumbprint *thumb,
                             SqlCpBoolean final, const SqlCpEncryptionParam *params, uint32_t count,
                             const SqlCpData *in, SqlCpData *out)
{
    (void)session;
    (void)thumb;
    (void) final;
    (void)params;
    (void)count;
    (void)in;
    if (out != NULL) {
        out->cb = 32;
    }
    errno = EDOM;
    return out == NULL ? SQLCP_INVALID_ARGUMENT : SQLCP_INSUFFICIENT_BUFFER;
}

static void test_a_line_has_sizes_and_no_content(void **state)
{
    (void)state;
    uint8_t thumb[] = {0x0A, 0xFF}, secret[] = "plain text of a key", room[64] = "wrapped";
    SqlCpKeyThumbprint thumbprint = {sizeof thumb, thumb};
    SqlCpData in = {sizeof secret, secret}, out = {0, NULL};
    SqlCpSession session = (SqlCpSession)(uintptr_t)65537;
    test_trace_start();
    assert_true(trace_wanted());
    assert_int_equal(
        trace_crypt(crypt_call, "Decrypt", &session, &thumbprint, 1, NULL, 0, &in, &out),
        SQLCP_INSUFFICIENT_BUFFER);
    assert_int_equal(errno, EDOM);
    out = (SqlCpData){sizeof room, room};
    (void)trace_crypt(crypt_call, "Encrypt", &session, &thumbprint, 0, NULL, 3, &in, &out);
    const char *text = trace_recorded();
    assert_true(strncmp(text, "# akv-ekm recording 1, version ", 31) == 0);
    assert_non_null(strstr(
        text,
        " Decrypt session=65537 thumb=2p:0AFF final=1 params=0n in=20p out=0n gives=32 rc=2"));
    assert_non_null(strstr(text, " Encrypt session=65537 thumb=2p:0AFF final=0 params=3n in=20p "
                                 "out=64p gives=32 rc=2 us="));
    assert_null(strstr(text, "plain text"));
    assert_null(strstr(text, "wrapped"));
}

static SqlCpError open_call(const SqlCpCredential *auth, SqlCpSession *session)
{
    *session = (SqlCpSession)(uintptr_t)7;
    return auth == NULL ? SQLCP_AUTH_FAILURE : SQLCP_SUCCESS;
}

static SqlCpError name_call(const SqlCpSession *session, const SqlCpStr *name, SqlCpKeyInfo *info)
{
    (void)session;
    (void)name;
    info->name.cb = 14;
    info->thumb.cb = 20;
    return SQLCP_INSUFFICIENT_BUFFER;
}

static void test_names_are_shown_and_credentials_are_not(void **state)
{
    (void)state;
    uint16_t identity[] = {'v', 'a', 'u', 'l', 't'}, word[] = {'s', 'e', 'c', 'r', 'e', 't'};
    uint16_t name[] = {'K', '"', ' ', 0x00E9, '1'};
    SqlCpCredential credential = {{sizeof identity, identity}, {sizeof word, word}};
    SqlCpStr text = {sizeof name, name};
    SqlCpKeyInfo info = {.algId = 0};
    SqlCpSession session = NULL;
    test_trace_start();
    (void)trace_open_session(open_call, &credential, &session);
    (void)trace_open_session(open_call, NULL, &session);
    (void)trace_key_by_name(name_call, &session, &text, &info);
    const char *lines = trace_recorded();
    assert_non_null(strstr(lines, " OpenSession auth=1 identity=10p secret=1 session=7 rc=0 us="));
    assert_non_null(strstr(lines, " OpenSession auth=0 rc=5 us="));
    assert_non_null(strstr(lines,
                           " GetKeyInfoByName session=7 name=10p:\"K\\u0022\\u0020\\u00E91\" "
                           "out=0n out2=0n gives=14 gives2=20 rc=2 us="));
    assert_null(strstr(lines, "vault"));
    assert_null(strstr(lines, "secret\""));
}

/* Arguments that no correct host passes are not followed. */
static void test_sizes_that_cannot_be_are_shown_alone(void **state)
{
    (void)state;
    uint8_t thumb[1] = {1};
    uint16_t name[1] = {'K'};
    SqlCpKeyThumbprint thumbprint = {UINT32_MAX, thumb};
    SqlCpStr text = {UINT32_MAX, name};
    SqlCpKeyInfo info = {.algId = 0};
    test_trace_start();
    (void)trace_key_by_name(name_call, NULL, &text, &info);
    (void)trace_crypt(crypt_call, "Decrypt", NULL, &thumbprint, 1, NULL, 0, NULL, NULL);
    const char *lines = trace_recorded();
    assert_non_null(strstr(lines, " GetKeyInfoByName name=4294967295p out=0n"));
    assert_non_null(strstr(lines, " Decrypt thumb=4294967295p final=1 params=0n rc=6 us="));
}

static void test_the_file_keeps_to_its_size(void **state)
{
    (void)state;
    uint8_t thumb[SQLCP_MAX_THUMBPRINT_BYTES] = {0};
    SqlCpKeyThumbprint thumbprint = {sizeof thumb, thumb};
    test_trace_start();
    for (int i = 0; i < 100000 && trace_wanted(); i++) {
        (void)trace_crypt(crypt_call, "Decrypt", NULL, &thumbprint, 1, NULL, 0, NULL, NULL);
    }
    assert_false(trace_wanted());
    assert_int_equal(lines_inside, 1);
    assert_int_equal(entries, 0);
    size_t len = strlen(trace_recorded());
    assert_in_range(len, 1024 * 1024 - 1000, 1024 * 1024);
    trace_stop();
    test_trace_start(); /* a restart does not make it larger */
    (void)trace_crypt(crypt_call, "Decrypt", NULL, &thumbprint, 1, NULL, 0, NULL, NULL);
    assert_in_range(strlen(trace_recorded()), len, 1024 * 1024);
}

static void test_an_unsafe_file_is_not_used(void **state)
{
    (void)state;
    char target[sizeof path + 8];
    (void)snprintf(target, sizeof target, "%s.other", path);
    assert_int_equal(symlink(target, path), 0);
    test_trace_start();
    assert_false(trace_wanted());
    assert_int_equal(access(target, F_OK), -1);
    assert_int_equal(unlink(path), 0);
    config.trace_file[0] = '\0';
    trace_start(&config);
    assert_false(trace_wanted());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_line_has_sizes_and_no_content, make_folder,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_names_are_shown_and_credentials_are_not, make_folder,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_sizes_that_cannot_be_are_shown_alone, make_folder,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_file_keeps_to_its_size, make_folder, tear_down),
        cmocka_unit_test_setup_teardown(test_an_unsafe_file_is_not_used, make_folder, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
