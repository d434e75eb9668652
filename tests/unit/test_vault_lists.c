// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: vault_fixture.c scripted_http.c fake_clock.c
/* Lists of keys and versions, page by page (key-vault-wire.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "vault_fixture.h"

static bool count_key(void *context, const struct vault_key *key)
{
    (void)key;
    ++*(unsigned *)context;
    return true;
}

#define ITEM(name) "{\"kid\":\"https://" HOST "/keys/" name "\"}"

static void lists_of_pages(void **state)
{
    unsigned count = 0;
    (void)state;
    vault_warm_up();
    script(200, "{\"value\":[" ITEM("a") "," ITEM(
                    "b") "],\"nextLink\":\"https://" HOST
                         ":443/keys?api-version=7.9&$skiptoken=x%3D&maxresults=25\"}");
    script(200, "{\"value\":[],\"nextLink\":\"https://CONTOSO.VAULT.azure.net/keys?y\"}");
    script(200, "{\"value\":[" ITEM("c") "],\"nextLink\":null}");
    assert_int_equal(vault_list_keys(&call, &vault, count_key, &count), EKM_OK);
    assert_int_equal(count, 3);
    assert_int_equal(scripted_http_count(), 3);
    assert_non_null(strstr(scripted_http_seen(0)->url, "https://" HOST "/keys?"));
    assert_non_null(strstr(scripted_http_seen(0)->url, "api-version=7.4"));
    assert_string_equal(scripted_http_seen(1)->url,
                        "https://" HOST ":443/keys?api-version=7.9&$skiptoken=x%3D&maxresults=25");
    assert_string_equal(scripted_http_seen(2)->url, "https://CONTOSO.VAULT.azure.net/keys?y");
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(scripted_http_seen(i)->bearer, "t1");
        assert_string_equal(scripted_http_seen(i)->host, HOST);
    }
}

static void lists_of_versions(void **state)
{
    unsigned count = 0;
    (void)state;
    vault_warm_up();
    script(200, "{\"value\":[" ITEM("name/v1") "," ITEM("name/v2") "]}");
    assert_int_equal(vault_list_versions(&call, &vault, "name", count_key, &count), EKM_OK);
    assert_int_equal(count, 2);
    assert_non_null(strstr(scripted_http_seen(0)->url, "https://" HOST "/keys/name/versions?"));
}

static void a_token_that_ends_between_pages(void **state)
{
    unsigned count = 0;
    (void)state;
    vault_warm_up();
    script(200, "{\"value\":[],\"nextLink\":\"https://" HOST "/keys?x\"}");
    script_401(CHALLENGE("tenant-1"));
    script(200, TOKEN("t2"));
    script(200, "{\"value\":[" ITEM("c") "]}");
    assert_int_equal(vault_list_keys(&call, &vault, count_key, &count), EKM_OK);
    assert_int_equal(count, 1);
    assert_string_equal(scripted_http_seen(3)->url, "https://" HOST "/keys?x");
    assert_string_equal(scripted_http_seen(3)->bearer, "t2");
}

static void links_that_leave_the_vault(void **state)
{
    static const char *const links[] = {
        "http://" HOST "/keys?x",
        "https://evil.com/keys?x",
        "https://" HOST ".evil.com/keys?x",
        "https://" HOST "@evil.com/keys?x",
        "https://" HOST ":x@evil.com/keys?x",
        "https://" HOST ":443@evil.com/keys?x",
        "https://user@" HOST "/keys?x",
        "https://" HOST ":8443/keys?x",
        "https://" HOST ":4430/keys?x",
        "https://" HOST "\\\\@evil.com/keys?x",
        "https://" HOST "#/keys",
        "https://" HOST "/keys?x#y",
        "https://" HOST "/keys?x y",
        "https://" HOST "/keys?x\\r\\nHost: evil.com",
        "https://evil.com/https://" HOST "/keys",
        "https://fabrikam.vault.azure.net/keys?x",
        "//" HOST "/keys?x",
        "/keys?x",
        "keys",
        " https://" HOST "/keys?x",
        "file:///etc/passwd",
    };
    (void)state;
    vault_warm_up();
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        unsigned count = 0;
        char body[512];
        scripted_http_reset();
        (void)text_format(body, sizeof body, "{\"value\":[],\"nextLink\":\"%s\"}", links[i]);
        script(200, body);
        if (vault_list_keys(&call, &vault, count_key, &count) != EKM_OTHER_KEY ||
            scripted_http_count() != 1) {
            fail_msg("followed: %s", links[i]);
        }
        assert_int_equal(call.error.rc, EKM_OTHER_KEY);
    }
}

/* A list whose links come again after so many pages. */
static void next_for_ever(void *context, struct call *asking, const struct seen_request *asked,
                          struct scripted_answer *answer)
{
    static char body[128];
    (void)asking;
    (void)asked;
    (void)text_format(body, sizeof body,
                      "{\"value\":[],\"nextLink\":\"https://" HOST "/keys?x=%u\"}",
                      scripted_http_count() % *(const unsigned *)context);
    *answer = (struct scripted_answer){.status = 200, .body = body};
}

static void pages_are_counted(void **state)
{
    unsigned count = 0, cycle = UINT32_MAX;
    (void)state;
    vault_warm_up();
    scripted_http_serve(next_for_ever, &cycle);
    enum ekm_rc rc = vault_list_keys(&call, &vault, count_key, &count);
    assert_int_equal(rc, EKM_ANSWER_TOO_BIG);
    assert_int_equal(call.error.rc, rc);
    assert_in_range(scripted_http_count(), 100, VAULT_PAGES_MAX);
    /* A list that goes round ends soon. */
    for (cycle = 1; cycle < 8; cycle++) {
        scripted_http_reset();
        scripted_http_serve(next_for_ever, &cycle);
        assert_int_equal(vault_list_keys(&call, &vault, count_key, &count), EKM_ANSWER_TOO_BIG);
        assert_in_range(scripted_http_count(), 2, 32);
    }
}

static bool stop_at_once(void *context, const struct vault_key *key)
{
    (void)key;
    ++*(unsigned *)context;
    return false;
}

static void a_visitor_ends_the_list(void **state)
{
    unsigned count = 0;
    (void)state;
    vault_warm_up();
    script(200,
           "{\"value\":[" ITEM("a") "," ITEM("b") "],\"nextLink\":\"https://" HOST "/keys?x\"}");
    assert_int_equal(vault_list_keys(&call, &vault, stop_at_once, &count), EKM_OK);
    assert_int_equal(count, 1);
    assert_int_equal(scripted_http_count(), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, vault_set_up, vault_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_of_pages),
        TEST(lists_of_versions),
        TEST(a_token_that_ends_between_pages),
        TEST(links_that_leave_the_vault),
        TEST(pages_are_counted),
        TEST(a_visitor_ends_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
