/* Keys found again by looking through all that the vault lists. */
#include "provider_fixture.h"

// wrap: vault_authenticate vault_get_key vault_wrap vault_unwrap vault_list_keys
// wrap: vault_list_versions vault_create_key vault_delete_key http_start http_stop
// wrap: vault_list_keys_page vault_request_try_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: fake_vault.c provider_fixture.c fake_clock.c

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "discovery/inventory.h"
#include "fake_clock.h"

#define PLAIN "0123456789abcdef"

static char looks[64][256]; /* "get name/version", "list", "versions name", in their order */
static size_t look_count;

static void note_look(const char *what, const struct key_id *key)
{
    if (look_count < 64) {
        snprintf(looks[look_count++], sizeof looks[0], "%s%s%s%s%s", what, key != NULL ? " " : "",
                 key != NULL ? key->name : "", key != NULL && key->version[0] != '\0' ? "/" : "",
                 key != NULL ? key->version : "");
    }
}

static SqlCpError discovery_listing_decrypt(const struct fake_key *key)
{
    struct thumbprint print;
    uint8_t bytes[RSA_MAX_BYTES], wrapped[RSA_MAX_BYTES];
    SqlCpData cipher = {256, wrapped}, plain = {sizeof bytes, bytes};
    fake_thumbprint(key, &print);
    fake_wrapped(key, RSA_OAEP_256, PLAIN, sizeof PLAIN, wrapped);
    return fixture_decrypt(&print, &cipher, &plain);
}

static struct fake_key *discovery_listing_add(const char *name, const char *version, uint8_t seed,
                                              int64_t created_s)
{
    struct fake_key *key = fake_add(name, version, seed);
    key->created_s = created_s;
    return key;
}

static void expect_looks(const char *const *expected, size_t count)
{
    for (size_t i = 0; i < count && i < look_count; i++) {
        assert_string_equal(looks[i], expected[i]);
    }
    assert_int_equal(look_count, count);
}
#define EXPECT(...)                                                                                \
    expect_looks((const char *const[]){__VA_ARGS__},                                               \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static int set_up(void **state)
{
    fake_clock_reset();
    int rc = fixture_set_up(state);
    look_count = 0;
    fake_before_request = note_look;
    return rc;
}

/* The newest version of every key, the newest key first; then all others by their age. */
static void test_newest_first(void **state)
{
    (void)state;
    const struct fake_key *oldest = discovery_listing_add("Old", "o1", 1, 10);
    discovery_listing_add("Old", "o2", 2, 30);
    discovery_listing_add("New", "n1", 3, 20);
    discovery_listing_add("New", "n2", 4, 40);
    fake_page_size = 1;
    fixture_start();
    assert_int_equal(discovery_listing_decrypt(oldest), SQLCP_SUCCESS);
    EXPECT("list", "list", "get New", "get Old", "versions New", "versions Old", "get New/n1",
           "get Old/o1");
    assert_non_null(strstr(fixture_read(fixture.map), "/keys/Old/o1\n"));
    fixture_stop();
}

static unsigned odd_pages;

/* From the second page on the list makes no sense. */
static void break_list(const char *what, const struct key_id *key)
{
    note_look(what, key);
    if (strcmp(what, "list") == 0 && odd_pages++ > 0) {
        atomic_store(&fake_list_fails, EKM_OTHER_KEY);
    }
}

/* A list that leads nowhere is skipped with a line; the keys that it gave are looked at, and after
 * its time it is read again. */
static void test_odd_list(void **state)
{
    (void)state;
    const struct fake_key *seen = discovery_listing_add("Old", "o1", 1, 10);
    const struct fake_key *hidden = discovery_listing_add("New", "n1", 3, 20);
    fake_page_size = 1;
    odd_pages = 0;
    fake_before_request = break_list;
    fixture_start();
    assert_int_equal(discovery_listing_decrypt(hidden), SQLCP_NOT_FOUND);
    assert_non_null(strstr(fixture_read(fixture.log), "of the vault's list of keys: "));
    assert_non_null(strstr(fixture_read(fixture.log), "could not be read to its end"));
    assert_int_equal(discovery_listing_decrypt(seen), SQLCP_SUCCESS);
    fake_before_request = note_look;
    atomic_store(&fake_list_fails, EKM_OK);
    look_count = 0;
    assert_int_equal(discovery_listing_decrypt(hidden),
                     SQLCP_NOT_FOUND); /* too soon, and not another reason */
    assert_int_equal(look_count, 0);
    assert_null(strstr(fixture_read(fixture.log), "is known to have this thumbprint"));
    fake_clock_advance(INVENTORY_CUT_MS);
    assert_int_equal(discovery_listing_decrypt(hidden), SQLCP_SUCCESS);
    fixture_stop();
}

/* Keys seen during the search answer for other thumbprints without a request. */
static void test_what_was_seen_is_known(void **state)
{
    (void)state;
    const struct fake_key *oldest = discovery_listing_add("Old", "o1", 1, 10);
    const struct fake_key *newer = discovery_listing_add("Old", "o2", 2, 30);
    fixture_start();
    assert_int_equal(discovery_listing_decrypt(oldest), SQLCP_SUCCESS);
    look_count = 0;
    assert_int_equal(discovery_listing_decrypt(newer), SQLCP_SUCCESS);
    assert_int_equal(look_count, 0);
    assert_non_null(strstr(fixture_read(fixture.map), "/keys/Old/o2\n"));
    /* Of this process, not of the next life. */
    fixture_remove_map();
    fixture_restart();
    assert_int_equal(discovery_listing_decrypt(newer), SQLCP_SUCCESS);
    EXPECT("list", "get Old");
    fixture_stop();
}

static void slow_down(const char *what, const struct key_id *key)
{
    note_look(what, key);
    fake_clock_advance(400);
}

/* Out of time is not in vain: each call goes on where the one before stopped. */
static void test_goes_on_where_it_stopped(void **state)
{
    (void)state;
    const struct fake_key *wanted = discovery_listing_add("A", "a1", 1, 10);
    discovery_listing_add("A", "a2", 2, 50);
    discovery_listing_add("B", "b1", 3, 40);
    discovery_listing_add("C", "c1", 4, 30);
    fake_page_size = 1;
    fake_before_request = slow_down;
    fixture_configure("call_timeout_ms = 1000");
    fixture_start();
    assert_int_equal(discovery_listing_decrypt(wanted), 5001);
    assert_non_null(strstr(fixture_read(fixture.log), "the next call continues the search"));
    int calls = 1;
    while (discovery_listing_decrypt(wanted) == 5001) {
        assert_true(++calls < 10);
    }
    /* 3 pages, 3 newest, 3 lists of versions, 1 other; what the end of a call cut off twice. */
    assert_true(look_count >= 10 && look_count <= 10 + (size_t)calls);
    assert_int_equal(discovery_listing_decrypt(wanted), SQLCP_SUCCESS);
    fixture_stop();
}

static void test_in_vain_for_a_minute(void **state)
{
    (void)state;
    discovery_listing_add("A", "a1", 1, 10);
    const struct fake_key lost = {.bits = 2048, .seed = 99}, other = {.bits = 2048, .seed = 98};
    fixture_start();
    assert_int_equal(discovery_listing_decrypt(&lost), SQLCP_NOT_FOUND);
    EXPECT("list", "get A", "versions A");
    assert_int_equal(discovery_listing_decrypt(&lost), SQLCP_NOT_FOUND);
    assert_int_equal(discovery_listing_decrypt(&other), SQLCP_NOT_FOUND);
    assert_int_equal(look_count, 3);
    /* A minute later it is there; what is known is not asked for again. */
    fake_clock_advance(INVENTORY_FRESH_MS + 1);
    const struct fake_key *came = discovery_listing_add("B", "b1", 99, 20);
    look_count = 0;
    assert_int_equal(discovery_listing_decrypt(came), SQLCP_SUCCESS);
    EXPECT("list", "get B");
    fixture_stop();
}

static void test_list_refused(void **state)
{
    (void)state;
    const struct fake_key *key = discovery_listing_add("A", "a1", 1, 10);
    fixture_start();
    atomic_store(&fake_list_fails, EKM_FORBIDDEN);
    assert_int_equal(discovery_listing_decrypt(key), SQLCP_NOT_FOUND);
    assert_int_equal(discovery_listing_decrypt(key), SQLCP_NOT_FOUND);
    EXPECT("list");
    assert_non_null(strstr(fixture_read(fixture.log), "the vault refuses to list its keys"));
    atomic_store(&fake_list_fails, EKM_OK);
    fake_clock_advance(INVENTORY_FRESH_MS + 1);
    assert_int_equal(discovery_listing_decrypt(key), SQLCP_SUCCESS);
    fixture_stop();
}

/* Disabled, refused, gone: passed over, and what comes after is looked at. */
static void test_passed_over(void **state)
{
    (void)state;
    const struct fake_key *wanted = discovery_listing_add("A", "a1", 1, 10);
    discovery_listing_add("A", "a2", 1, 20)->disabled = true;
    discovery_listing_add("A", "a3", 3, 30)->not_rsa = true;
    discovery_listing_add("Off", "x1", 1, 40)->disabled = true;
    fixture_start();
    assert_int_equal(discovery_listing_decrypt(wanted), SQLCP_SUCCESS);
    EXPECT("list", "get A", "versions Off", "versions A", "get A/a1");
    assert_non_null(strstr(fixture_read(fixture.map), "/keys/A/a1\n"));
    fixture_stop();
}

static void change_meanwhile(const char *what, const struct key_id *key)
{
    note_look(what, key);
    if (look_count == 2) {
        fake_keys[1].gone = true;                /* B is deleted */
        discovery_listing_add("A", "a2", 5, 50); /* A is rotated */
    }
}

static void test_vault_changes_meanwhile(void **state)
{
    (void)state;
    discovery_listing_add("A", "a1", 1, 10);
    discovery_listing_add("B", "b1", 2, 30);
    const struct fake_key *wanted = discovery_listing_add("C", "c1", 3, 20);
    discovery_listing_add("C", "c2", 4, 40);
    fake_before_request = change_meanwhile;
    fixture_start();
    assert_int_equal(discovery_listing_decrypt(wanted), SQLCP_SUCCESS);
    EXPECT("list", "get C", "get B", "get A", "versions C", "versions B", "versions A", "get C/c1");
    fixture_stop();
}

static void *decrypt_in_thread(void *argument)
{
    return (void *)(intptr_t)discovery_listing_decrypt(argument);
}

/* Two lost thumbprints of one vault: it is looked through once. */
static void test_two_threads(void **state)
{
    pthread_t thread;
    void *code = NULL;
    (void)state;
    struct fake_key *first = discovery_listing_add("A", "a1", 1, 10),
                    *second = discovery_listing_add("A", "a2", 2, 20);
    fake_clock_run();
    fake_before_request = NULL;
    fixture_start();
    fake_reset_counts();
    atomic_store(&fake_delay_ms, 20);
    assert_int_equal(pthread_create(&thread, NULL, decrypt_in_thread, first), 0);
    assert_int_equal(discovery_listing_decrypt(second), SQLCP_SUCCESS);
    pthread_join(thread, &code);
    assert_int_equal((intptr_t)code, SQLCP_SUCCESS);
    assert_int_equal(fake_counts.list, 1);
    assert_true(fake_counts.list_versions <= 1);
    assert_true(fake_counts.get <= 2);
    fixture_stop();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_newest_first),
        CASE(test_odd_list),
        CASE(test_what_was_seen_is_known),
        CASE(test_goes_on_where_it_stopped),
        CASE(test_in_vain_for_a_minute),
        CASE(test_list_refused),
        CASE(test_passed_over),
        CASE(test_vault_changes_meanwhile),
        CASE(test_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
