/* The tenants that vaults named, kept beside the map from one life of the process to the next. */
// only: posix
// with: scratch.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/text.h"
#include "keymap/keymap.h"
#include "keymap/tenants.h"
#include "keymap/tenants_store.h"
#include "scratch.h"
#include "vault/challenge.h"

#define HOST  "contoso-vault.vault.azure.net"
#define OTHER "fabrikam-vault.vault.azure.net"

static struct config config;
static struct call call;
static char tenants[160];

/* A fresh process with the store of the one before. */
static void tenants_restart(void)
{
    keymap_stop();
    challenge_forget_all();
    keymap_start(&config);
    tenants_start();
}

static int set_up(void **state)
{
    if (make_folder(state) != 0) {
        return -1;
    }
    config_defaults(&config);
    (void)text_copy(config.keymap_file, sizeof config.keymap_file, path);
    (void)text_format(tenants, sizeof tenants, "%s.tenants", path);
    call_begin(&call, "test", &config);
    keymap_start(&config);
    challenge_forget_all();
    return 0;
}

static int tear_down(void **state)
{
    keymap_stop();
    return remove_folder(state);
}

static void tenants_named(const char *host, const char *tenant)
{
    struct challenge challenge = {"login.microsoftonline.com", "", "vault.azure.net"};
    (void)text_copy(challenge.tenant, sizeof challenge.tenant, tenant);
    challenge_remember(host, &challenge);
    tenants_note(&call, host);
}

static void expect_hint(const char *host, const char *tenant)
{
    struct vault_address vault = {"", "vault.azure.net"};
    struct challenge found;
    bool guessed = false;
    (void)text_copy(vault.host, sizeof vault.host, host);
    bool known = challenge_recall(&vault, &found, &guessed);
    assert_int_equal(known, tenant != NULL);
    if (tenant != NULL) {
        assert_true(guessed);
        assert_string_equal(found.tenant, tenant);
    }
}

static void kept_for_the_next_life(void **state)
{
    (void)state;
    tenants_named(HOST, "tenant-1");
    tenants_named(OTHER, "tenant-2");
    assert_content(tenants, HOST "\ttenant-1\n" OTHER "\ttenant-2\n");
    assert_int_equal(mode_of(tenants), 0600);
    tenants_restart();
    expect_hint(HOST, "tenant-1");
    expect_hint(OTHER, "tenant-2");
    expect_hint("third.vault.azure.net", NULL);
    tenants_named(HOST, "tenant-3");
    assert_content(tenants, OTHER "\ttenant-2\n" HOST "\ttenant-3\n");
}

static void written_only_when_it_is_news(void **state)
{
    (void)state;
    put(tenants, HOST "\ttenant-1\n", 0600);
    tenants_restart();
    put(tenants, "marker\n", 0600);
    tenants_named(HOST, "tenant-1");
    assert_content(tenants, "marker\n");
}

/* Whatever the file contains, it is only a hint. */
static void foreign_content(void **state)
{
    (void)state;
    put(tenants,
        "no tab\n\n\ttenant\n" HOST "\t\n" HOST "\ta/../b\nnot a host!\ttenant\n" OTHER
        "\ttenant-2\textra\nhttps://THIRD.vault.azure.net/\ttenant-4",
        0600);
    tenants_restart();
    expect_hint(HOST, NULL);
    expect_hint(OTHER, NULL);
    expect_hint("third.vault.azure.net", "tenant-4");
}

static void store_that_cannot_be_written(void **state)
{
    (void)state;
    (void)text_format(config.keymap_file, sizeof config.keymap_file, "%s/none/of/map", folder);
    tenants_restart();
    tenants_named(HOST, "tenant-1");
    assert_int_equal(call.error.rc, EKM_OK);
    tenants_restart();
    expect_hint(HOST, NULL);
}

static void too_many_vaults(void **state)
{
    char host[64];
    char text[TENANTS_MAX * 64];
    (void)state;
    for (int i = 0; i < TENANTS_MAX + 3; i++) {
        (void)snprintf(host, sizeof host, "v%d.vault.azure.net", i);
        assert_int_equal(tenants_store_put(host, "t"), PLAT_IO_OK);
    }
    assert_int_equal(get(tenants, PLAT_TRUST_ANY, text, sizeof text), PLAT_IO_OK);
    assert_null(strstr(text, "v2.vault"));
    assert_ptr_equal(strstr(text, "v3.vault"), text);
    assert_non_null(strstr(text, host));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kept_for_the_next_life), TEST(written_only_when_it_is_news),
        TEST(foreign_content),        TEST(store_that_cannot_be_written),
        TEST(too_many_vaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
