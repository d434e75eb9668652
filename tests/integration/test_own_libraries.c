/*
 * Only for AKVEKM_LIBRARIES=private: this program exports functions of OpenSSL, curl and cJSON that
 * end it. A library that reached for the process's own, by a symbol that is not hidden, would call
 * them: the names of a program come before those of whatever it loads.
 */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TRAPS(X)                                                                                   \
    X(SSL_CTX_new)                                                                                 \
    X(SSL_new)                                                                                     \
    X(SSL_connect)                                                                                 \
    X(SSL_read)                                                                                    \
    X(SSL_CTX_set_cert_store)                                                                      \
    X(OPENSSL_init_ssl)                                                                            \
    X(OPENSSL_init_crypto)                                                                         \
    X(CRYPTO_malloc)                                                                               \
    X(CRYPTO_free)                                                                                 \
    X(CRYPTO_set_mem_functions)                                                                    \
    X(ERR_clear_error)                                                                             \
    X(ERR_peek_error)                                                                              \
    X(EVP_Digest)                                                                                  \
    X(EVP_sha256)                                                                                  \
    X(X509_STORE_new)                                                                              \
    X(PEM_read_bio_X509)                                                                           \
    X(RAND_bytes)                                                                                  \
    X(curl_global_init)                                                                            \
    X(curl_global_init_mem)                                                                        \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_multi_perform)                                                                          \
    X(curl_version_info)                                                                           \
    X(cJSON_InitHooks)                                                                             \
    X(cJSON_ParseWithLength)                                                                       \
    X(cJSON_Delete)

#define TRAP(name)                                                                                 \
    void name(void);                                                                               \
    __attribute__((visibility("default"))) void name(void)                                         \
    {                                                                                              \
        fputs("the host's " #name " was called\n", stderr);                                        \
        abort();                                                                                   \
    }
TRAPS(TRAP)

static struct sim sim;

static void test_nothing_of_the_host_is_called(void **state)
{
    (void)state;
    static struct ready ready;
    sim_start(&sim, NULL, NULL);
    ready_open(&ready, &sim, "own");
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    ready_close(&ready);
    sim_stop(&sim);
}

/* The first line names what is inside, and nothing foreign is read unasked. */
static void test_first_line_and_surroundings(void **state)
{
    (void)state;
    static struct ready ready;
    char path[96];
    sim_start(&sim, NULL, NULL);
    snprintf(path, sizeof path, "%s/openssl.cnf", sim.folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    /* An OpenSSL that read this would have no TLS version left. */
    fputs("openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = none\n"
          "[none]\nMaxProtocol = TLSv1.1\n",
          out);
    fclose(out);
    setenv("OPENSSL_CONF", path, 1);
    ready_open(&ready, &sim, "own");
    assert_int_equal(ready_decrypt(&ready), SQLCP_SUCCESS);
    ready_close(&ready);
    unsetenv("OPENSSL_CONF");
    char *log = sim_file(&sim, "akv-ekm.log");
    const char *inside = strstr(log, "inside=\"openssl ");
    assert_non_null(inside);
    assert_non_null(strstr(inside, ", curl "));
    assert_non_null(strstr(inside, ", cjson "));
    free(log);
    sim_stop(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_of_the_host_is_called),
                                       cmocka_unit_test(test_first_line_and_surroundings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
