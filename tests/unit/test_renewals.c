// wrap: http_perform http_perform_all plat_now_ms plat_unix_time_ms plat_cond_wait_until
// wrap: default_paths_arc_keys
// with: scripted_http.c fake_clock.c
// only: posix
/* 1,000 sign-ins each while the certificate, the token file or the key of the agent of Azure Arc is
 * replaced, half written and removed under them: each ends with a whole proof or with the file's
 * own code, never with half of one, and the next good file serves at once. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/text.h"
#include "fake_clock.h"
#include "net/http_retry.h"
#include "scripted_http.h"
#include "temporary.h"
#include "vault/token.h"

#define CLIENT     "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define SESSIONS   1000
#define CONTENTS   2
#define TOKEN_BODY "{\"access_token\":\"t1\",\"expires_in\":3599}"

static struct config config;
static struct call call;
static char folder[300], path[400], aside[410];
static const struct challenge where = {"login.microsoftonline.com", "tenant-1", "vault.azure.net"};
static char contents[CONTENTS][8192];
static atomic_bool stop;
static atomic_uint half_proofs;

static void write_whole(const char *to, const char *text, size_t len)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0) {
        (void)!write(fd, text, len);
        close(fd);
    }
}

static void renewals_replace(unsigned turn)
{
    const char *text = contents[turn % CONTENTS];
    write_whole(aside, text, strlen(text));
    (void)rename(aside, path);
}

/* Until all is over: replaced, half written in place, removed, and whole again. */
static void *renewals_renew(void *context)
{
    (void)context;
    for (unsigned turn = 0; !atomic_load(&stop); turn++) {
        const char *text = contents[turn % CONTENTS];
        renewals_replace(turn);
        usleep(2000);
        write_whole(path, text, strlen(text) * (turn % 7) / 8);
        usleep(100);
        (void)unlink(path);
        usleep(100);
        renewals_replace(turn);
        usleep(5000);
    }
    return NULL;
}

/* The request has an assertion of three parts. */
static void renewals_serve(void *context, struct call *asking, const struct seen_request *asked,
                           struct scripted_answer *answer)
{
    (void)context;
    (void)asking;
    const char *assertion = strstr(asked->body, "client_assertion=");
    size_t dots = 0;
    for (const char *at = assertion; at != NULL && *at != '\0' && *at != '&'; at++) {
        dots += *at == '.';
    }
    atomic_fetch_add(&half_proofs, dots != 2);
    answer->status = 200;
    answer->body = TOKEN_BODY;
}

/* The former refusal is remembered. */
static enum ekm_rc sign_in_again(const char *secret)
{
    struct credential *credential = NULL;
    struct token *token = NULL;
    call_begin(&call, "Test", &config);
    enum ekm_rc rc = credential_open(&call, secret, strlen(secret), &credential);
    if (rc == EKM_OK) {
        rc = token_get(&call, credential, &where, &token);
    }
    token_release(token);
    credential_release(credential);
    return rc;
}

static enum ekm_rc sign_in(const char *secret)
{
    credential_forget_all();
    return sign_in_again(secret);
}

static void renewals_storm(const char *secret, enum ekm_rc spoilt, enum ekm_rc other)
{
    pthread_t thread;
    unsigned good = 0;
    renewals_replace(0);
    assert_int_equal(sign_in(secret), EKM_OK);
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&thread, NULL, renewals_renew, NULL), 0);
    for (unsigned i = 0; i < SESSIONS; i++) {
        enum ekm_rc rc = sign_in(secret);
        if (rc != EKM_OK && rc != spoilt && rc != other) {
            fail_msg("%s: %s", ekm_name(rc), call.error.note);
        }
        good += rc == EKM_OK;
    }
    atomic_store(&stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    renewals_replace(1);
    assert_int_equal(sign_in(secret), EKM_OK);
    assert_true(good > 0);
    assert_int_equal(atomic_load(&half_proofs), 0);
}

static char arc_challenge[512];
static atomic_uint arc_given;

void __wrap_default_paths_arc_keys(char *out, size_t cap);
void __wrap_default_paths_arc_keys(char *out, size_t cap)
{
    (void)text_copy(out, cap, folder);
}

/* The agent takes a whole key, and asks again for all else. */
static void serve_arc(void *context, struct call *asking, const struct seen_request *asked,
                      struct scripted_answer *answer)
{
    (void)context;
    (void)asking;
    bool fits = strcmp(asked->basic, contents[0]) == 0 || strcmp(asked->basic, contents[1]) == 0;
    answer->status = fits ? 200 : 401;
    answer->authenticate = fits ? NULL : arc_challenge;
    answer->body = fits ? TOKEN_BODY : "";
    atomic_fetch_add(&arc_given, fits);
}

/* Entra refuses what is not the second content; `renewing`: whoever wrote the first in place ends
 * while Entra answers. */
static atomic_bool renewing;

static void serve_second(void *context, struct call *asking, const struct seen_request *asked,
                         struct scripted_answer *answer)
{
    (void)context;
    (void)asking;
    bool fits = strstr(asked->body, "client_assertion=BBBBB") != NULL;
    answer->status = fits ? 200 : 401;
    answer->body = fits ? TOKEN_BODY
                        : "{\"error\":\"invalid_client\",\"error_codes\":[50013],"
                          "\"error_description\":\"AADSTS50013: no.\"}";
    if (atomic_load(&renewing)) {
        renewals_replace(1);
    }
}

static int set_up(void **state)
{
    (void)state;
    scripted_http_reset();
    http_retry_reset();
    fake_clock_reset();
    fake_clock_run();
    config_defaults(&config);
    config.log_level = LEVEL_NONE;
    call_begin(&call, "Test", &config);
    atomic_store(&half_proofs, 0);
    atomic_store(&renewing, false);
    scripted_http_serve(renewals_serve, NULL);
    return temporary_make(folder, sizeof folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    credential_forget_all();
    assert_true(temporary_setenv("IDENTITY_ENDPOINT", NULL));
    assert_true(temporary_setenv("IMDS_ENDPOINT", NULL));
    return temporary_remove(folder) ? 0 : -1;
}

static void make_paths(const char *name)
{
    assert_true(text_format(path, sizeof path, "%s/%s", folder, name));
    assert_true(text_format(aside, sizeof aside, "%s.new", path));
}

static void write_certificate(char *out)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *made = X509_new();
    BIO *text = BIO_new(BIO_s_mem());
    char *data = NULL;
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    (void)ASN1_TIME_set(X509_getm_notBefore(made), FAKE_UNIX_TIME_MS / 1000 - 60);
    (void)ASN1_TIME_set(X509_getm_notAfter(made), FAKE_UNIX_TIME_MS / 1000 + 86400L * 90);
    X509_set_pubkey(made, key);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(text, made), 1);
    assert_int_equal(PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(text, &data);
    assert_true(text_copy_n(out, sizeof contents[0], data, (size_t)len));
    BIO_free(text);
    X509_free(made);
    EVP_PKEY_free(key);
}

/* Two certificates for the file that the configuration leads to. */
static void renewals_open_certificates(void)
{
    make_paths("sql.pem");
    (void)text_copy(config.sign_in.certificate_folder, sizeof config.sign_in.certificate_folder,
                    folder);
    write_certificate(contents[0]);
    write_certificate(contents[1]);
}

static void test_certificates_that_are_renewed(void **state)
{
    (void)state;
    renewals_open_certificates();
    renewals_storm("certificate:" CLIENT ":sql", EKM_CERTIFICATE_UNUSABLE, EKM_CERTIFICATE_PAIR);
}

static void make_token_file(void)
{
    make_paths("token");
    (void)text_copy(config.sign_in.token_file, sizeof config.sign_in.token_file, path);
    (void)text_copy(config.sign_in.tenant, sizeof config.sign_in.tenant, "tenant-1");
    for (int i = 0; i < CONTENTS; i++) {
        memset(contents[i], 'A' + i, 1000);
        contents[i][300] = contents[i][600] = '.';
        contents[i][1000] = '\n';
        contents[i][1001] = '\0';
    }
}

static void test_token_files_that_are_renewed(void **state)
{
    (void)state;
    make_token_file();
    renewals_storm("workload-identity:" CLIENT, EKM_TOKEN_FILE_UNUSABLE, EKM_TOKEN_FILE_UNUSABLE);
}

static void test_arc_keys_that_are_renewed(void **state)
{
    (void)state;
    make_paths("a.key");
    config.sign_in.source = IDENTITY_SOURCE_ARC;
    (void)text_format(arc_challenge, sizeof arc_challenge, "Basic realm=%s", path);
    for (int i = 0; i < CONTENTS; i++) {
        memset(contents[i], 'A' + i, 200);
        contents[i][200] = '\0';
    }
    assert_true(temporary_setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:40342/t"));
    assert_true(temporary_setenv("IMDS_ENDPOINT", "http://127.0.0.1:40342"));
    scripted_http_serve(serve_arc, NULL);
    renewals_storm("managed-identity", EKM_ARC_KEY_UNREADABLE, EKM_ARC_KEY_UNREADABLE);
    assert_true(atomic_load(&arc_given) > SESSIONS / 2);
}

/* Its signature is cut short: Entra alone sees that. */
static void test_a_token_that_is_half_written(void **state)
{
    (void)state;
    make_token_file();
    write_whole(path, contents[0], 800);
    scripted_http_serve(serve_second, NULL);
    atomic_store(&renewing, true);
    assert_int_equal(sign_in_again("workload-identity:" CLIENT), EKM_OK);
    assert_int_equal(scripted_http_count(), 2);
}

static void test_a_refused_token_file_that_is_replaced(void **state)
{
    (void)state;
    make_token_file();
    renewals_replace(0);
    scripted_http_serve(serve_second, NULL);
    assert_int_equal(sign_in_again("workload-identity:" CLIENT), EKM_BAD_CREDENTIALS);
    assert_int_equal(sign_in_again("workload-identity:" CLIENT), EKM_BAD_CREDENTIALS);
    assert_int_equal(scripted_http_count(), 1); /* the same again is not asked for */
    (void)unlink(path);
    assert_int_equal(sign_in_again("workload-identity:" CLIENT), EKM_BAD_CREDENTIALS);
    assert_int_equal(scripted_http_count(), 1);
    renewals_replace(1);
    assert_int_equal(sign_in_again("workload-identity:" CLIENT), EKM_OK);
    assert_int_equal(scripted_http_count(), 2);
}

static void refuse_first(void *context, struct call *asking, const struct seen_request *asked,
                         struct scripted_answer *answer)
{
    (void)context;
    serve_second(NULL, asking, asked, answer);
    if (scripted_http_count() > 1) {
        *answer = (struct scripted_answer){.status = 200, .body = TOKEN_BODY};
    }
}

static void test_a_refused_certificate_that_is_replaced(void **state)
{
    (void)state;
    renewals_open_certificates();
    renewals_replace(0);
    scripted_http_serve(refuse_first, NULL);
    assert_int_equal(sign_in_again("certificate:" CLIENT ":sql"), EKM_BAD_CREDENTIALS);
    assert_int_equal(sign_in_again("certificate:" CLIENT ":sql"), EKM_BAD_CREDENTIALS);
    assert_int_equal(scripted_http_count(), 1);
    renewals_replace(1);
    assert_int_equal(sign_in_again("certificate:" CLIENT ":sql"), EKM_OK);
    assert_int_equal(scripted_http_count(), 2);
}

/* The first answer is lost, and the certificate is replaced before the request is sent again. The
 * second answer is a refusal, which may be of either certificate. Later ones are tokens. */
static unsigned lost_count;

static void lose_first(void *context, struct call *asking, const struct seen_request *asked,
                       struct scripted_answer *answer)
{
    const char *next = context;
    serve_second(NULL, asking, asked, answer);
    lost_count++;
    if (lost_count == 1) {
        write_whole(path, next, strlen(next));
        *answer = (struct scripted_answer){.rc = EKM_NO_ANSWER, .maybe_sent = true};
    } else if (lost_count > 2) {
        *answer = (struct scripted_answer){.status = 200, .body = TOKEN_BODY};
    }
}

static void test_a_certificate_that_is_replaced_before_a_retry(void **state)
{
    (void)state;
    renewals_open_certificates();
    renewals_replace(0);
    lost_count = 0;
    scripted_http_serve(lose_first, contents[1]);
    assert_int_equal(sign_in_again("certificate:" CLIENT ":sql"), EKM_OK);
    assert_int_equal(scripted_http_count(), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_certificates_that_are_renewed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_token_files_that_are_renewed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_arc_keys_that_are_renewed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_token_that_is_half_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refused_token_file_that_is_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_refused_certificate_that_is_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_certificate_that_is_replaced_before_a_retry, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
