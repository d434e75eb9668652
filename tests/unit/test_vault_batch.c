// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: vault_fixture.c scripted_http.c fake_clock.c
/* Many requests to a vault in parallel: final responses are read, all others are requested again in
 * the ordinary way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vault/vault_batch.h"
#include "vault_fixture.h"

static const struct key_id names[3] = {{"a", "v1"}, {"b", ""}, {"c", "v3"}};

static int set_up(void **state)
{
    int rc = vault_set_up(state);
    script_401(CHALLENGE("tenant-1"));
    script(200, TOKEN("t1"));
    return rc;
}

struct seen {
    enum ekm_rc rc[3];
    unsigned calls, keys;
    unsigned enough; /* ends the batch after so many calls; 0: never */
};

static bool vault_batch_see(void *context, size_t index, enum ekm_rc rc,
                            const struct vault_key *key)
{
    struct seen *seen = context;
    seen->rc[index] = rc;
    seen->keys += key != NULL;
    return ++seen->calls != seen->enough;
}

#define KEY(id)                                                                                    \
    "{\"key\":{\"kid\":\"https://" HOST "/keys/" id "\",\"kty\":\"EC\"},\"attributes\":{}}"
#define ITEM(id) "{\"kid\":\"https://" HOST "/keys/" id "\",\"attributes\":{}}"

static void test_each_has_its_outcome(void **state)
{
    struct seen seen = {.calls = 0};
    (void)state;
    script(200, KEY("a/v1"));
    script(404, "{\"error\":{\"code\":\"KeyNotFound\"}}");
    script(200, KEY("other/v3"));
    assert_int_equal(vault_get_keys(&call, &vault, names, 3, vault_batch_see, &seen), EKM_OK);
    assert_int_equal(seen.rc[0], EKM_OK);
    assert_int_equal(seen.rc[1], EKM_KEY_NOT_FOUND);
    assert_int_equal(seen.rc[2], EKM_OTHER_KEY);
    assert_int_equal(seen.keys, 1);
    assert_int_equal(scripted_http_count(), 5);
    assert_non_null(strstr(scripted_http_seen(2)->url, "https://" HOST "/keys/a/v1?api-version"));
    assert_non_null(strstr(scripted_http_seen(3)->url, "https://" HOST "/keys/b?api-version"));
    assert_string_equal(scripted_http_seen(4)->bearer, "t1");
}

/* A server that fails, a cut connection, an ended token: once more, by itself. */
static void test_unusable_batch_responses_are_asked_for_again(void **state)
{
    struct seen seen = {.calls = 0};
    (void)state;
    script(503, "");
    scripted_http_add(&(struct scripted_answer){.rc = EKM_CONNECTION_BROKEN});
    script(401, "");
    script(200, KEY("a/v1"));
    script(200, KEY("b/v2"));
    script(200, KEY("c/v3"));
    assert_int_equal(vault_get_keys(&call, &vault, names, 3, vault_batch_see, &seen), EKM_OK);
    assert_int_equal(seen.keys, 3);
    assert_int_equal(scripted_http_left(), 0);
}

/* At a vault that throttles no batch is sent until it answers again. */
static void test_throttled(void **state)
{
    struct seen seen = {.calls = 0};
    (void)state;
    script(200, KEY("a/v1"));
    script(429, "");
    script(429, "");
    script(429, ""); /* b, alone */
    script(200, KEY("b/v2"));
    script(200, KEY("c/v3"));
    uint64_t begun_ms = plat_now_ms();
    assert_int_equal(vault_get_keys(&call, &vault, names, 3, vault_batch_see, &seen), EKM_OK);
    assert_int_equal(seen.keys, 3);
    assert_true(plat_now_ms() > begun_ms);
    assert_int_equal(scripted_http_left(), 0);
}

static void test_unreachable_ends_it(void **state)
{
    struct seen seen = {.calls = 0};
    (void)state;
    script(200, KEY("a/v1"));
    for (int i = 0; i < 40; i++) {
        scripted_http_add(&(struct scripted_answer){.rc = EKM_CONNECT_FAILED, .takes_ms = 1000});
    }
    assert_int_equal(vault_get_keys(&call, &vault, names, 3, vault_batch_see, &seen),
                     EKM_CONNECT_FAILED);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(call.error.rc, EKM_CONNECT_FAILED);
}

static void test_seen_enough(void **state)
{
    struct seen seen = {.enough = 1};
    (void)state;
    script(200, KEY("a/v1"));
    script(200, KEY("b/v2"));
    script(200, KEY("c/v3"));
    assert_int_equal(vault_get_keys(&call, &vault, names, 3, vault_batch_see, &seen), EKM_OK);
    assert_int_equal(seen.calls, 1);
}

/* A list of several pages, an empty one among them, one that is refused, one that is empty. */
static void test_versions(void **state)
{
    struct seen seen = {.calls = 0};
    (void)state;
    script(200,
           "{\"value\":[" ITEM("a/v1") "],\"nextLink\":\"https://" HOST "/keys/a/versions?x\"}");
    script(403, "{\"error\":{\"code\":\"Forbidden\"}}");
    script(200, "{\"value\":[]}");
    script(200, "{\"value\":[],\"nextLink\":\"https://" HOST "/keys/a/versions?y\"}");
    script(200, "{\"value\":[" ITEM("a/v2") "],\"nextLink\":null}");
    assert_int_equal(vault_list_all_versions(&call, &vault, names, 3, vault_batch_see, &seen),
                     EKM_OK);
    assert_int_equal(seen.keys, 2);
    assert_int_equal(seen.calls, 5); /* two versions, three ends */
    assert_int_equal(seen.rc[1], EKM_FORBIDDEN);
    assert_int_equal(scripted_http_left(), 0);
    assert_string_equal(scripted_http_seen(6)->url, "https://" HOST "/keys/a/versions?y");
}

static void test_link_that_leaves(void **state)
{
    struct seen seen = {.calls = 0};
    (void)state;
    script(200, "{\"value\":[],\"nextLink\":\"https://elsewhere.example/keys/a/versions?x\"}");
    script(200, "{\"value\":[]}");
    script(200, "{\"value\":[]}");
    assert_int_equal(vault_list_all_versions(&call, &vault, names, 3, vault_batch_see, &seen),
                     EKM_OK);
    assert_int_equal(seen.rc[0], EKM_OTHER_KEY);
    assert_int_equal(scripted_http_count(), 5);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, vault_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_has_its_outcome),
        TEST(test_unusable_batch_responses_are_asked_for_again),
        TEST(test_throttled),
        TEST(test_unreachable_ends_it),
        TEST(test_seen_enough),
        TEST(test_versions),
        TEST(test_link_that_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
