/* CreateKey and DropKey: only with leave, never over an existing key, never more than was asked
 * for. */
#include "provider_fixture.h"

// wrap: vault_authenticate vault_get_key vault_wrap vault_unwrap vault_list_keys
// wrap: vault_list_versions vault_create_key vault_delete_key http_start http_stop
// wrap: vault_list_keys_page vault_request_try_all
// with: fake_vault.c provider_fixture.c

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static SqlCpError create_key_named(const char *name, SqlCpAlgId algorithm, struct thumbprint *print)
{
    uint16_t units[64];
    SqlCpStr text = fixture_wide(name, units);
    SqlCpData thumb = {sizeof print->bytes, print->bytes};
    SqlCpError code = SqlCryptCreateKey(&fixture.session, &text, algorithm, 0, &thumb);
    print->len = thumb.cb;
    return code;
}

static SqlCpError create_drop(struct thumbprint *print)
{
    SqlCpData thumb = {(uint32_t)print->len, print->bytes};
    return SqlCryptDropKey(&fixture.session, &thumb);
}

static void test_needs_leave(void **state)
{
    struct thumbprint print;
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    fake_reset_counts();
    assert_int_equal(create_drop(&print), SQLCP_NOT_SUPPORTED);
    assert_int_equal(create_key_named("fresh", 1, &print), SQLCP_NOT_SUPPORTED);
    assert_int_equal(fake_requests(), 0);
    fixture_stop();
}

static void test_create(void **state)
{
    struct thumbprint print;
    (void)state;
    fixture_configure("allow_create = yes");
    fixture_start();
    fake_reset_counts();
    assert_int_equal(create_key_named("fresh", 2, &print), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.get, 1);
    assert_int_equal(fake_counts.create, 1);
    assert_int_equal(print.len, 20);
    assert_int_equal(fake_keys[0].bits, 3072);
    assert_non_null(strstr(fixture_read(fixture.map), "/keys/fresh/c1\n"));
    assert_int_equal(create_key_named("fresh", 2, &print), SQLCP_FAILURE);
    assert_non_null(strstr(fixture_read(fixture.log), "has a key of this name already"));
    fake_keys[0].disabled = true;
    assert_int_equal(create_key_named("fresh", 2, &print), SQLCP_FAILURE);
    assert_int_equal(fake_counts.create, 1);
    atomic_store(&fake_get_fails, EKM_FORBIDDEN);
    assert_int_equal(create_key_named("other", 2, &print), 3113);
    assert_int_equal(fake_counts.create, 1);
    fixture_stop();
}

/* A key that cannot be recorded is not made at all. */
#ifndef _WIN32 /* an obstacle in the place of a file; windows.readonly tests the registry */
static void test_create_needs_the_map(void **state)
{
    struct thumbprint print;
    char aside[128];
    (void)state;
    fixture_configure("allow_create = yes");
    fixture_start();
    assert_int_equal(create_key_named("first", 1, &print), SQLCP_SUCCESS);
    char map[512];
    snprintf(map, sizeof map, "%s", fixture_read(fixture.map));
    snprintf(aside, sizeof aside, "%s.tmp/full", fixture.map);
    char *slash = strrchr(aside, '/');
    *slash = '\0';
    assert_int_equal(mkdir(aside, 0700), 0);
    *slash = '/';
    assert_int_equal(mkdir(aside, 0700), 0);
    fake_reset_counts();
    assert_int_equal(create_key_named("second", 1, &print), 2058);
    assert_int_equal(fake_counts.create, 0);
    assert_string_equal(fixture_read(fixture.map), map);
    fixture_stop();
}
#endif

/* Everything is checked before the request that cannot be undone. */
static void test_create_checks_first(void **state)
{
    struct thumbprint print;
    uint16_t units[16];
    uint8_t bytes[32];
    SqlCpStr name = fixture_wide("fresh", units);
    SqlCpData none = {0, NULL}, small = {19, bytes};
    SqlCpSession *session = &fixture.session;
    (void)state;
    fixture_configure("allow_create = yes");
    fixture_start();
    fake_reset_counts();
    assert_int_equal(SqlCryptCreateKey(session, &name, 1, 0, NULL), 6);
    assert_int_equal(SqlCryptCreateKey(session, NULL, 1, 0, &none), 6);
    assert_int_equal(SqlCryptCreateKey(session, &name, 1, 0, &none), 2);
    assert_int_equal(none.cb, 20);
    assert_int_equal(SqlCryptCreateKey(session, &name, 1, 0, &small), 2);
    assert_int_equal(create_key_named("fresh", 0, &print), 6);
    assert_int_equal(create_key_named("fresh", 4, &print), 6);
    assert_int_equal(create_key_named("fresh/v1", 1, &print), 3110);
    assert_int_equal(create_key_named("fr_esh", 1, &print), 3110);
    assert_int_equal(create_key_named("a-name-of-27-characters-123", 1, &print), 2049);
    assert_int_equal(fake_requests(), 0);
    fixture_stop();
}

static void test_drop(void **state)
{
    struct thumbprint print;
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    fixture_configure("allow_drop = yes");
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    assert_int_equal(create_drop(&print), SQLCP_SUCCESS);
    assert_int_equal(fake_counts.delete, 1);
    /* The entry stays: a recovered key opens again. */
    assert_non_null(strstr(fixture_read(fixture.map), "TdeKey0/v1"));
    assert_int_equal(create_drop(&print), 3112);
    fixture_stop();
}

static void test_drop_is_refused(void **state)
{
    struct thumbprint one, two, managed;
    (void)state;
    fake_add("rolled", "v1", 1);
    struct fake_key *newer = fake_add("rolled", "v2", 2);
    fake_add("managed", "v1", 3)->managed = true;
    fixture_configure("allow_drop = yes");
    fixture_start();
    assert_int_equal(fixture_find("rolled/v1", &one), SQLCP_SUCCESS);
    assert_int_equal(fixture_find("managed", &managed), SQLCP_SUCCESS);
    assert_int_equal(create_drop(&one), SQLCP_FAILURE);
    assert_int_equal(create_drop(&managed), SQLCP_FAILURE);
    /* One version left in the vault, two in the map. */
    assert_int_equal(fixture_find("rolled/v2", &two), SQLCP_SUCCESS);
    newer->host = FAKE_OTHER;
    assert_int_equal(create_drop(&one), SQLCP_FAILURE);
    const char *log = fixture_read(fixture.log);
    assert_non_null(strstr(log, "other versions"));
    assert_non_null(strstr(log, "manages the key"));
    assert_non_null(strstr(log, "another thumbprint of this key"));
    assert_int_equal(fake_counts.delete, 0);
    two.bytes[0] ^= 1;
    assert_int_equal(create_drop(&two), SQLCP_NOT_FOUND);
    two.len = 0;
    assert_int_equal(create_drop(&two), 6);
    fixture_stop();
}

/* The key that the map names may have been replaced: only a key that gives the thumbprint is
 * deleted. */
static void test_drop_of_another_key(void **state)
{
    struct thumbprint print;
    (void)state;
    struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fixture_configure("allow_drop = yes");
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    key->not_rsa = true;
    assert_int_equal(create_drop(&print), 5008);
    key->not_rsa = false;
    key->bits = 1024;
    assert_int_equal(create_drop(&print), 5008);
    key->bits = 2048;
    key->seed = 2;
    assert_int_equal(create_drop(&print), 5008);
    assert_int_equal(fake_counts.delete, 0);
    key->seed = 1;
    assert_int_equal(create_drop(&print), SQLCP_SUCCESS);
    fixture_stop();
}

/* The list shows that nothing else is deleted with the key; here it is empty. */
static void test_drop_without_a_listed_version(void **state)
{
    struct thumbprint print;
    char text[512];
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    fixture_configure("allow_drop = yes");
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    snprintf(text, sizeof text, "%s", fixture_read(fixture.map));
    memcpy(strstr(text, "TdeKey0"), "TDEKEY0", 7); /* the fake vault lists exact names only */
    fixture_write(fixture.map, text);
    fixture_restart();
    assert_int_equal(create_drop(&print), SQLCP_FAILURE);
    assert_non_null(strstr(fixture_read(fixture.log), "lists no version"));
    assert_int_equal(fake_counts.delete, 0);
    fixture_stop();
}

#ifndef _WIN32
static void test_drop_needs_the_map(void **state)
{
    struct thumbprint print;
    char kept[128];
    (void)state;
    fake_add("TdeKey0", "v1", 1);
    fixture_configure("allow_drop = yes");
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    snprintf(kept, sizeof kept, "%s.kept", fixture.map);
    assert_int_equal(rename(fixture.map, kept), 0);
    assert_int_equal(symlink(kept, fixture.map), 0);
    assert_int_equal(create_drop(&print), 2058);
    assert_int_equal(fake_counts.delete, 0);
    assert_int_equal(rename(kept, fixture.map), 0);
    assert_int_equal(create_drop(&print), SQLCP_SUCCESS);
    fixture_stop();
}
#endif

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_needs_leave),
        CASE(test_create),
        CASE(test_create_checks_first),
        CASE(test_drop),
        CASE(test_drop_is_refused),
        CASE(test_drop_of_another_key),
        CASE(test_drop_without_a_listed_version),
#ifndef _WIN32
        CASE(test_drop_needs_the_map),
        CASE(test_create_needs_the_map),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
