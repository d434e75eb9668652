#include "provider_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "abi/exports.c"
#include "platform/atomic_file.h"
#include "temporary.h"

struct fixture fixture;
static char config_path[96];

void fixture_write(const char *path, const char *text)
{
#ifdef _WIN32
    if (path == fixture.map) {
        registry_map_write(text);
        return;
    }
#else
    if (path == fixture.map) {
        assert_int_equal(plat_folder_for(path), PLAT_IO_OK);
    }
#endif
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

const char *fixture_read(const char *path)
{
    static char text[1 << 18];
#ifdef _WIN32
    if (path == fixture.map) {
        registry_map_read(text, sizeof text);
        return text;
    }
#endif
    FILE *file = fopen(path, "r");
    size_t len = 0;
    if (file != NULL) {
        len = fread(text, 1, sizeof text - 1, file);
        fclose(file);
    }
    text[len] = '\0';
    return text;
}

void fixture_configure(const char *line)
{
    FILE *file = fopen(config_path, "a");
    assert_non_null(file);
    assert_true(fprintf(file, "%s\n", line) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(config_path, 0600), 0);
}

int fixture_set_up(void **state)
{
    char line[256];
    (void)state;
    fake_reset();
    assert_true(temporary_make(fixture.folder, sizeof fixture.folder));
    snprintf(config_path, sizeof config_path, "%s/conf", fixture.folder);
    snprintf(fixture.log, sizeof fixture.log, "%s/log", fixture.folder);
#ifdef _WIN32
    snprintf(fixture.map, sizeof fixture.map, "Azure Key Vault");
    registry_map_forbid(false);
    snprintf(line, sizeof line, "log_file = %s", fixture.log);
#else
    snprintf(fixture.map, sizeof fixture.map, "%s/map/keymap", fixture.folder);
    snprintf(line, sizeof line, "keymap_file = %s\nlog_file = %s", fixture.map, fixture.log);
#endif
    fixture_configure(line);
    assert_true(temporary_setenv("AKVEKM_CONFIG", config_path));
    return 0;
}

int fixture_tear_down(void **state)
{
    (void)state;
#ifdef _WIN32
    registry_map_forbid(true);
#endif
    return temporary_remove(fixture.folder) ? 0 : -1;
}

void fixture_forbid_map(bool forbidden)
{
#ifdef _WIN32
    registry_map_forbid(forbidden);
#else
    char map_folder[96];
    snprintf(map_folder, sizeof map_folder, "%s/map", fixture.folder);
    if (forbidden) {
        fixture_write(map_folder, "a file where the folder should be");
    } else {
        assert_int_equal(unlink(map_folder), 0);
    }
#endif
}

void fixture_remove_map(void)
{
#ifdef _WIN32
    registry_map_forbid(false);
#else
    assert_int_equal(remove(fixture.map), 0);
#endif
}

SqlCpStr fixture_wide(const char *text, uint16_t *units)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        units[i] = (uint8_t)text[i];
    }
    return (SqlCpStr){(uint32_t)(2 * len), units};
}

SqlCpError fixture_open(const char *identity, const char *secret, SqlCpSession *session)
{
    uint16_t name[600], password[2200];
    SqlCpCredential credential = {fixture_wide(identity, name), fixture_wide(secret, password)};
    return SqlCryptOpenSession(&credential, session);
}

void fixture_start(void)
{
    assert_int_equal(SqlCryptInitializeProvider(), SQLCP_SUCCESS);
    assert_int_equal(fixture_open("contoso-vault", FAKE_SECRET, &fixture.session), SQLCP_SUCCESS);
}

void fixture_stop(void)
{
    assert_int_equal(SqlCryptCloseSession(&fixture.session, 0), SQLCP_SUCCESS);
    assert_int_equal(SqlCryptFreeProvider(), SQLCP_SUCCESS);
}

void fixture_restart(void)
{
    fixture_stop();
    fixture_start();
}

SqlCpError fixture_find(const char *name, struct thumbprint *thumbprint)
{
    uint16_t units[300], found[300];
    SqlCpStr wanted = fixture_wide(name, units);
    SqlCpKeyInfo info = {{0, NULL}, {0, NULL}, 0, 0};
    SqlCpError code = SqlCryptGetKeyInfoByName(&fixture.session, &wanted, &info);
    if (code != SQLCP_INSUFFICIENT_BUFFER) {
        return code;
    }
    assert_true(info.name.cb <= sizeof found && info.thumb.cb <= sizeof thumbprint->bytes);
    info.name.ws = found;
    info.thumb.pb = thumbprint->bytes;
    code = SqlCryptGetKeyInfoByName(&fixture.session, &wanted, &info);
    thumbprint->len = info.thumb.cb;
    return code;
}

static SqlCpData data_of(const struct thumbprint *thumbprint, uint8_t bytes[THUMBPRINT_MAX_BYTES])
{
    memcpy(bytes, thumbprint->bytes, THUMBPRINT_MAX_BYTES);
    return (SqlCpData){(uint32_t)thumbprint->len, bytes};
}

SqlCpError fixture_encrypt(const struct thumbprint *thumbprint, const void *plain, size_t len,
                           SqlCpData *out)
{
    uint8_t bytes[THUMBPRINT_MAX_BYTES], text[600];
    memcpy(text, plain, len);
    SqlCpData thumb = data_of(thumbprint, bytes), in = {(uint32_t)len, text}, size = {0, NULL};
    SqlCpError code = SqlCryptEncrypt(&fixture.session, &thumb, 1, NULL, 0, &in, &size);
    if (code != SQLCP_INSUFFICIENT_BUFFER) {
        return code;
    }
    assert_true(size.cb <= out->cb);
    out->cb = size.cb;
    return SqlCryptEncrypt(&fixture.session, &thumb, 1, NULL, 0, &in, out);
}

SqlCpError fixture_decrypt(const struct thumbprint *thumbprint, const SqlCpData *cipher,
                           SqlCpData *out)
{
    uint8_t bytes[THUMBPRINT_MAX_BYTES];
    SqlCpData thumb = data_of(thumbprint, bytes), size = {0, NULL};
    SqlCpError code = SqlCryptDecrypt(&fixture.session, &thumb, 1, NULL, 0, cipher, &size);
    if (code != SQLCP_INSUFFICIENT_BUFFER) {
        return code;
    }
    assert_true(size.cb <= out->cb);
    out->cb = size.cb;
    return SqlCryptDecrypt(&fixture.session, &thumb, 1, NULL, 0, cipher, out);
}
