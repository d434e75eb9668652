// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: vault_fixture.c scripted_http.c fake_clock.c
/* The way in with a tenant that was stored: one turn less where it is still right, nothing lost
 * where it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "vault/vault_request.h"
#include "vault_fixture.h"

#define TOKEN_URL(tenant) "https://login.microsoftonline.com/" tenant "/oauth2/v2.0/token"

/* A cloud in which one tenant has the vault and knows the application. */
static struct {
    const char *challenge, *token_url;
    long vault_status, token_status; /* 401 and 200 where all is well */
    unsigned challenges, tokens, refused;
} cloud;

static void vault_request_serve(void *context, struct call *asking,
                                const struct seen_request *asked, struct scripted_answer *response)
{
    (void)context;
    (void)asking;
    if (!asked->to_entra) {
        bool inside = strcmp(asked->bearer, "t1") == 0;
        cloud.challenges += !inside;
        response->status = inside ? 200 : cloud.vault_status;
        response->authenticate = cloud.challenge;
        response->body = cloud.vault_status == 503 ? "" : "{}";
        return;
    }
    bool known = strcmp(asked->url, cloud.token_url) == 0;
    cloud.tokens += known;
    cloud.refused += !known;
    response->status = known ? cloud.token_status : 400;
    response->body = known && cloud.token_status == 200
                         ? TOKEN("t1")
                         : "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}";
}

static int set_up(void **state)
{
    int rc = vault_set_up(state);
    memset(&cloud, 0, sizeof cloud);
    cloud.challenge = CHALLENGE("tenant-1");
    cloud.token_url = TOKEN_URL("tenant-1");
    cloud.vault_status = 401;
    cloud.token_status = 200;
    scripted_http_serve(vault_request_serve, NULL);
    return rc;
}

static void vault_request_suggest(const char *tenant)
{
    assert_int_equal(challenge_suggest(HOST, tenant), EKM_OK);
}

/* One request to the vault that needs a token. */
static enum ekm_rc send_request(long *status)
{
    struct http_response response;
    struct http_request request = {.method = HTTP_GET, .url = "https://" HOST "/keys/name?"};
    http_response_init(&response);
    enum ekm_rc rc = vault_request_send(&call, &vault, &request, &response);
    *status = response.status;
    http_response_free(&response);
    return rc;
}

static void vault_request_expect(enum ekm_rc rc, unsigned challenges, unsigned tokens,
                                 unsigned refused)
{
    long status = 0;
    enum ekm_rc got = send_request(&status);
    if (got != rc) {
        fail_msg("%s instead of %s (%s)", ekm_name(got), ekm_name(rc), call.error.note);
    }
    assert_int_equal(status, rc == EKM_OK ? 200 : 0);
    assert_int_equal(cloud.challenges, challenges);
    assert_int_equal(cloud.tokens, tokens);
    assert_int_equal(cloud.refused, refused);
}

/* The vault is asked and the token fetched in one turn; the vault's word makes the guess certain.
 */
static void right_hint(void **state)
{
    struct challenge known;
    bool guessed = true;
    (void)state;
    vault_request_suggest("tenant-1");
    vault_request_expect(EKM_OK, 1, 1, 0);
    assert_string_equal(scripted_http_seen(0)->host, HOST);
    assert_string_equal(scripted_http_seen(0)->bearer, "");
    assert_string_equal(scripted_http_seen(1)->url, cloud.token_url);
    assert_true(challenge_recall(&vault.address, &known, &guessed));
    assert_false(guessed);
    vault_request_expect(EKM_OK, 1, 1, 0);
}

/* The same tenant behind another name of its cloud: no second token. */
static void right_hint_other_authority(void **state)
{
    (void)state;
    cloud.challenge = CHALLENGE_OF("login.windows.net/TENANT-1");
    vault_request_suggest("tenant-1");
    vault_request_expect(EKM_OK, 1, 1, 0);
}

/* The vault moved: the refusal under the hint is no refused credential. */
static void moved_vault(void **state)
{
    char tenant[CHALLENGE_TENANT_MAX + 1];
    (void)state;
    cloud.challenge = CHALLENGE("tenant-2");
    cloud.token_url = TOKEN_URL("tenant-2");
    vault_request_suggest("tenant-1");
    vault_request_expect(EKM_OK, 1, 1, 1);
    assert_true(challenge_is_news(HOST, tenant));
    assert_string_equal(tenant, "tenant-2");
}

/* Another caller met the refusal, and this one has no part in the fetch. */
static void a_second_caller_notices_that_the_vault_moved(void **state)
{
    struct token_fetch fetch;
    struct challenge guess = {"login.microsoftonline.com", "tenant-1", "vault.azure.net"};
    struct http_response response;
    (void)state;
    http_response_init(&response);
    response.status = 400;
    assert_int_equal(buf_append_text(&response.body, "{\"error\":\"invalid_client\"}"), EKM_OK);
    cloud.challenge = CHALLENGE("tenant-2");
    cloud.token_url = TOKEN_URL("tenant-2");
    vault_request_suggest("tenant-1");
    assert_int_equal(token_fetch_begin(&call, vault.credential, &guess, &fetch), TOKEN_FLIGHT_OWN);
    assert_false(token_fetch_end(&call, &fetch, &response));
    http_response_free(&response);
    vault_request_expect(EKM_OK, 1, 1, 0);
}

/* While another call fetches the token, this one opens its connection and hears the vault. */
static void the_others_connect_meanwhile(void **state)
{
    struct token_fetch fetch, second;
    struct challenge guess = {"login.microsoftonline.com", "tenant-1", "vault.azure.net"};
    struct call other;
    (void)state;
    vault_request_suggest("tenant-1");
    call_begin(&other, "Other", &config);
    config.call_timeout_ms = 5000;
    call_begin(&call, "Test", &config);
    assert_int_equal(token_fetch_begin(&other, vault.credential, &guess, &fetch), TOKEN_FLIGHT_OWN);
    assert_int_equal(token_fetch_begin(&call, vault.credential, &guess, &second),
                     TOKEN_FLIGHT_OTHERS);
    assert_int_equal(vault_request_open(&call, &vault), EKM_DEADLINE); /* that fetch never ends */
    assert_int_equal(cloud.challenges, 1);
    assert_int_equal(cloud.tokens, 0);
    assert_false(token_fetch_end(&other, &fetch, NULL));
    call_begin(&call, "Test", &config);
    vault_request_expect(EKM_OK, 1, 1, 0);
    assert_int_equal(token_fetch_begin(&call, vault.credential, &guess, &second),
                     TOKEN_FLIGHT_NONE);
}

/* Whose fetch it is that goes to a name of the cloud that only the guess says: while it may fail,
 * what stays is the vault's word. */
static void the_others_remember_the_vault_s_word(void **state)
{
    struct token_fetch fetch;
    struct challenge guess = {"login.microsoftonline.com", "tenant-1", "vault.azure.net"}, known;
    struct call other;
    bool guessed = true;
    (void)state;
    cloud.challenge = CHALLENGE_OF("login.windows.net/tenant-1");
    vault_request_suggest("tenant-1");
    call_begin(&other, "Other", &config);
    config.call_timeout_ms = 5000;
    call_begin(&call, "Test", &config);
    assert_int_equal(token_fetch_begin(&other, vault.credential, &guess, &fetch), TOKEN_FLIGHT_OWN);
    assert_int_equal(vault_request_open(&call, &vault), EKM_DEADLINE); /* that fetch never ends */
    assert_false(token_fetch_end(&other, &fetch, NULL));
    assert_true(challenge_recall(&vault.address, &known, &guessed));
    assert_false(guessed);
    assert_string_equal(known.authority, "login.microsoftonline.com");
}

/* A credential that is refused where the vault really is: one token request, remembered. */
static void refused_credential(void **state)
{
    (void)state;
    cloud.token_status = 401;
    vault_request_suggest("tenant-1");
    vault_request_expect(EKM_BAD_CREDENTIALS, 1, 1, 0);
    call_begin(&call, "Test", &config);
    vault_request_expect(EKM_BAD_CREDENTIALS, 1, 1, 0);
}

/* Neither response is good: the ordinary way finds the cause, with its retries. */
static void vault_and_entra_fail(void **state)
{
    (void)state;
    config.call_timeout_ms = 5000;
    call_begin(&call, "Test", &config);
    cloud.vault_status = 503;
    cloud.token_status = 503;
    vault_request_suggest("tenant-1");
    long status = 0;
    assert_int_equal(send_request(&status), EKM_SERVER_ERROR);
    assert_true(cloud.challenges > 2);
    assert_int_equal(cloud.tokens, 1);
    cloud.vault_status = 401;
    call_begin(&call, "Test", &config);
    assert_int_equal(send_request(&status), EKM_TOKEN_UNAVAILABLE);
    cloud.token_status = 200;
    call_begin(&call, "Test", &config);
    assert_int_equal(send_request(&status), EKM_OK);
    assert_int_equal(status, 200);
}

/* The time is used up by the try of both at once: its code counts, not the deadline. */
static void the_first_try_takes_it_all(void **state)
{
    (void)state;
    vault_request_suggest("tenant-1");
    config.call_timeout_ms = 11000;
    call_begin(&call, "Test", &config);
    scripted_http_add(&(struct scripted_answer){.status = 401, .takes_ms = 20000});
    scripted_http_add(&(struct scripted_answer){.status = 200});
    scripted_http_add(&(struct scripted_answer){.status = 401, .takes_ms = 20000});
    long status = 0;
    assert_int_equal(send_request(&status), EKM_NO_ANSWER);
    assert_int_equal(call.error.rc, EKM_NO_ANSWER);
}

/* A challenge that leads outside Azure is an error with a hint, too. */
static void foreign_challenge(void **state)
{
    (void)state;
    cloud.challenge = CHALLENGE_OF("login.example.org/tenant-1");
    vault_request_suggest("tenant-1");
    long status = 0;
    assert_int_equal(send_request(&status), EKM_CHALLENGE_FOREIGN);
    assert_int_equal(cloud.tokens, 1); /* at the cloud's own Entra */
}

static void no_hint(void **state)
{
    (void)state;
    vault_request_expect(EKM_OK, 1, 1, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, vault_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_hint),
        TEST(right_hint),
        TEST(right_hint_other_authority),
        TEST(moved_vault),
        TEST(a_second_caller_notices_that_the_vault_moved),
        TEST(the_others_connect_meanwhile),
        TEST(the_others_remember_the_vault_s_word),
        TEST(refused_credential),
        TEST(vault_and_entra_fail),
        TEST(foreign_challenge),
        TEST(the_first_try_takes_it_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
