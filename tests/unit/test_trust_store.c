// only: posix
// with: fake_clock.c http_fixture.c two_certificates.c
// uses: akvekm_tls_server
// wrap: plat_now_ms plat_unix_time_ms plat_cond_wait_until trust_system_load
/* Certificates that came after the start are trusted without another one. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "fake_clock.h"
#include "http_fixture.h"
#include "net/http.h"
#include "net/trust_store.h"
#include "net/trust_system.h"
#include "tls_server.h"
#include "two_certificates.h"

#define REREAD_MS 10000

static bool has_system;
static atomic_bool reading_hangs, is_reading;

bool __real_trust_system_load(X509_STORE *store);
bool __wrap_trust_system_load(X509_STORE *store);
bool __wrap_trust_system_load(X509_STORE *store)
{
    atomic_store(&is_reading, true);
    while (atomic_load(&reading_hangs)) {
        (void)usleep(1000);
    }
    return has_system && __real_trust_system_load(store);
}

static int set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    fake_clock_run();
    two_certificates_trust(wrong_certificate);
    has_system = true;
    http_fixture_configure();
    http_fixture_open();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_stop();
    return 0;
}

/* On a connection of its own. */
static enum ekm_rc ask_host(const char *host)
{
    struct call call;
    struct http_response response;
    char url[64];
    (void)text_format(url, sizeof url, "https://%s/ok", host);
    const struct http_request request = {.url = url, .host = host, .once = true};
    http_response_init(&response);
    call_begin(&call, "Test", &http.config);
    enum ekm_rc rc = http_perform(&call, &request, &response);
    http_response_free(&response);
    return rc;
}

static enum ekm_rc trust_store_ask(void)
{
    return ask_host(HOST);
}

static void a_certificate_added_later(void **state)
{
    (void)state;
    assert_int_equal(trust_store_ask(), EKM_CERTIFICATE_REFUSED);
    two_certificates_trust(right_certificate);
    /* Not at every refusal: somebody may provoke them. */
    assert_int_equal(trust_store_ask(), EKM_CERTIFICATE_REFUSED);
    fake_clock_advance(REREAD_MS);
    assert_int_equal(trust_store_ask(), EKM_OK);
}

/* A zero byte does not end the file. */
static void a_zero_in_the_file_hides_nothing(void **state)
{
    char certificates[16384];
    FILE *in = fopen(right_certificate, "r"), *out;
    (void)state;
    assert_non_null(in);
    size_t len = fread(certificates, 1, sizeof certificates, in);
    assert_int_equal(fclose(in), 0);
    http_stop();
    (void)unlink(http.ca_path);
    out = fopen(http.ca_path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite("# a\0b\n", 1, 6, out), 6);
    assert_int_equal(fwrite(certificates, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
    http_fixture_open();
    assert_int_equal(trust_store_ask(), EKM_OK);
}

static void a_removed_authority_is_trusted_until_a_refusal(void **state)
{
    (void)state;
    http_stop();
    two_certificates_trust(right_certificate);
    char reason[256];
    assert_int_equal(http_start(&http.config, reason, sizeof reason), EKM_OK);
    assert_int_equal(trust_store_ask(), EKM_OK);
    two_certificates_trust(wrong_certificate);
    fake_clock_advance(REREAD_MS);
    assert_int_equal(trust_store_ask(), EKM_OK);
    assert_int_equal(ask_host("contoso.managedhsm.azure.net"), EKM_CERTIFICATE_REFUSED);
    /* Another vault, as there is a session of TLS with the first. */
    assert_int_equal(ask_host("fabrikam.vault.azure.net"), EKM_CERTIFICATE_REFUSED);
}

/* A container without any: the file is all, and read again all the same. */
static void without_certificates_of_the_system(void **state)
{
    (void)state;
    has_system = false;
    assert_int_equal(trust_store_ask(), EKM_CERTIFICATE_REFUSED);
    two_certificates_trust(right_certificate);
    fake_clock_advance(REREAD_MS);
    assert_int_equal(trust_store_ask(), EKM_OK);
}

/* The authorities that the system trusted stay while its store cannot be read. */
static void a_system_that_cannot_be_read_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(trust_store_ask(), EKM_CERTIFICATE_REFUSED);
    two_certificates_trust(right_certificate);
    has_system = false;
    fake_clock_advance(REREAD_MS);
    assert_int_equal(trust_store_ask(), EKM_CERTIFICATE_REFUSED);
    has_system = true;
    fake_clock_advance(REREAD_MS);
    assert_int_equal(trust_store_ask(), EKM_OK);
}

static void a_file_that_cannot_be_read_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(trust_store_ask(), EKM_CERTIFICATE_REFUSED);
    (void)unlink(http.ca_path);
    fake_clock_advance(REREAD_MS);
    assert_int_equal(trust_store_ask(), EKM_CERTIFICATE_REFUSED);
    two_certificates_trust(right_certificate);
    assert_int_equal(trust_store_ask(), EKM_CERTIFICATE_REFUSED);
    fake_clock_advance(REREAD_MS);
    assert_int_equal(trust_store_ask(), EKM_OK);
}

static void *ask_in_thread(void *rc)
{
    *(enum ekm_rc *)rc = trust_store_ask();
    return NULL;
}

/* A folder of certificates on a share that hangs: who waits for its reader has a deadline, and an
 * abort. */
static void waiting_for_the_reader_ends(void **state)
{
    pthread_t reader;
    struct call call;
    atomic_bool aborted = true;
    enum ekm_rc rc = EKM_INTERNAL;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    (void)state;
    http_stop();
    two_certificates_trust(right_certificate);
    char reason[256];
    assert_int_equal(http_start(&http.config, reason, sizeof reason), EKM_OK);
    atomic_store(&is_reading, false);
    atomic_store(&reading_hangs, true);
    assert_int_equal(pthread_create(&reader, NULL, ask_in_thread, &rc), 0);
    while (!atomic_load(&is_reading)) {
        (void)usleep(1000);
    }
    call_begin(&call, "Test", &http.config);
    call.deadline_ms = call.start_ms + 300;
    assert_int_equal(trust_store_apply(context, &call), EKM_DEADLINE);
    call_begin(&call, "Test", &http.config);
    call.session_aborted = &aborted;
    assert_int_equal(trust_store_apply(context, &call), EKM_CLOSING);
    atomic_store(&reading_hangs, false);
    assert_int_equal(pthread_join(reader, NULL), 0);
    assert_int_equal(rc, EKM_OK);
    SSL_CTX_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_added_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zero_in_the_file_hides_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_removed_authority_is_trusted_until_a_refusal, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_certificates_of_the_system, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_system_that_cannot_be_read_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(waiting_for_the_reader_ends, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, two_certificates_start, two_certificates_stop);
}
