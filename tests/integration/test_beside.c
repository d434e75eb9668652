/*
 * A host that uses an OpenSSL and a libcurl of its own, open to all of its process, while others of
 * its threads call the library. `integration_beside after`: the library is loaded first. The
 * variable AKVEKM_OPENSSL_1_1 names a folder with libssl.so.1.1, to be used in the place of 3.
 */
#include "harness.h"
#include "loopback.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define ROUNDS 25

/* The functions that the host calls, by name, in both versions of OpenSSL. */
#define FOREIGN(X)                                                                                 \
    X(OpenSSL_version)                                                                             \
    X(ERR_peek_error)                                                                              \
    X(TLS_client_method)                                                                           \
    X(SSL_CTX_new)                                                                                 \
    X(SSL_CTX_load_verify_locations)                                                               \
    X(SSL_CTX_free)                                                                                \
    X(SSL_new)                                                                                     \
    X(SSL_ctrl)                                                                                    \
    X(SSL_set_fd)                                                                                  \
    X(SSL_connect)                                                                                 \
    X(SSL_get_verify_result)                                                                       \
    X(SSL_write)                                                                                   \
    X(SSL_read)                                                                                    \
    X(SSL_free)                                                                                    \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_perform)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_cleanup)

static struct {
#define FOREIGN_POINTER(name) __typeof__(&(name)) name;
    FOREIGN(FOREIGN_POINTER)
#undef FOREIGN_POINTER
} foreign;

#undef curl_easy_setopt
#undef curl_easy_getinfo

static bool load_after;
static struct sim sim;
static struct ready ready;
static char ca_file[96], connect_to[64];
static int port;
static atomic_int failures;

static void *open_library(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name);
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        fail_msg("%s", dlerror());
    }
    return library;
}

static void load_foreign(void)
{
    const char *old = getenv("AKVEKM_OPENSSL_1_1");
    const char *folder = old != NULL ? old : "", *version = old != NULL ? "1.1" : "3";
    char names[2][32];
    snprintf(names[0], sizeof names[0], "libcrypto.so.%s", version);
    snprintf(names[1], sizeof names[1], "libssl.so.%s", version);
    void *crypto = open_library(folder, names[0]);
    void *ssl = open_library(folder, names[1]);
    void *curl = open_library("", "libcurl.so.4");
    void *const libraries[] = {ssl, crypto, curl};
#define FOREIGN_LOAD(name)                                                                         \
    for (size_t i = 0; i < 3 && foreign.name == NULL; i++) {                                       \
        void *found = dlsym(libraries[i], #name);                                                  \
        memcpy(&foreign.name, &found, sizeof found);                                               \
    }                                                                                              \
    assert_non_null(foreign.name);
    FOREIGN(FOREIGN_LOAD)
#undef FOREIGN_LOAD
    print_message("the host has %s\n", foreign.OpenSSL_version(OPENSSL_VERSION));
}

static void beside_expect(bool right, const char *what)
{
    if (!right) {
        fprintf(stderr, "failed: %s\n", what);
        atomic_fetch_add(&failures, 1);
    }
}

static int connect_to_sim(void)
{
    int socket_fd = loopback_connect(port);
    beside_expect(socket_fd >= 0, "connect");
    return socket_fd;
}

/* One request by the host's own OpenSSL; the vault's answer to no token is 401. */
static void ask_by_openssl(SSL_CTX *context)
{
    static const char request[] = "GET /keys/beside?api-version=7.4 HTTP/1.1\r\nHost: " SIM_VAULT
                                  "\r\nConnection: close\r\n\r\n";
    char host[] = SIM_VAULT, answer[256] = "";
    int socket_fd = connect_to_sim();
    SSL *ssl = foreign.SSL_new(context);
    (void)foreign.SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host);
    (void)foreign.SSL_set_fd(ssl, socket_fd);
    beside_expect(foreign.SSL_connect(ssl) == 1, "SSL_connect");
    beside_expect(foreign.SSL_get_verify_result(ssl) == 0, "the certificate");
    beside_expect(foreign.SSL_write(ssl, request, sizeof request - 1) > 0, "SSL_write");
    beside_expect(foreign.SSL_read(ssl, answer, sizeof answer - 1) > 0, "SSL_read");
    beside_expect(strncmp(answer, "HTTP/1.1 401", 12) == 0, "an answer of 401");
    foreign.SSL_free(ssl);
    close(socket_fd);
    beside_expect(foreign.ERR_peek_error() == 0, "an empty queue of errors");
}

static void *use_openssl(void *unused)
{
    SSL_CTX *context = foreign.SSL_CTX_new(foreign.TLS_client_method());
    beside_expect(foreign.SSL_CTX_load_verify_locations(context, ca_file, NULL) == 1,
                  "the authority");
    for (int i = 0; i < ROUNDS; i++) {
        ask_by_openssl(context);
    }
    foreign.SSL_CTX_free(context);
    return unused;
}

static void *use_curl(void *unused)
{
    struct curl_slist to = {connect_to, NULL};
    for (int i = 0; i < ROUNDS; i++) {
        long status = 0;
        CURL *curl = foreign.curl_easy_init();
        (void)foreign.curl_easy_setopt(curl, CURLOPT_URL,
                                       "https://" SIM_VAULT "/keys/beside?api-version=7.4");
        (void)foreign.curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
        (void)foreign.curl_easy_setopt(curl, CURLOPT_CONNECT_TO, &to);
        (void)foreign.curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        (void)foreign.curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        beside_expect(foreign.curl_easy_perform(curl) == CURLE_OK, "curl_easy_perform");
        (void)foreign.curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        beside_expect(status == 401, "curl's answer of 401");
        foreign.curl_easy_cleanup(curl);
    }
    return unused;
}

static void *use_ours(void *unused)
{
    for (int i = 0; i < 2 * ROUNDS; i++) {
        beside_expect(ready_decrypt(&ready) == SQLCP_SUCCESS, "Decrypt");
    }
    return unused;
}

static void find_sim(void)
{
    char *config = sim_file(&sim, "akv-ekm.conf");
    const char *at = strstr(config, "127.0.0.1:");
    assert_non_null(at);
    port = atoi(at + strlen("127.0.0.1:"));
    snprintf(connect_to, sizeof connect_to, "::127.0.0.1:%d", port);
    snprintf(ca_file, sizeof ca_file, "%s/ca.pem", sim.folder);
    free(config);
}

static void test_both_work(void **state)
{
    (void)state;
    static void *(*const users[])(void *) = {use_openssl, use_curl, use_ours, use_ours,
                                             use_openssl};
    enum { USERS = sizeof users / sizeof users[0] };
    pthread_t threads[USERS];
    sim_start(&sim, NULL, NULL);
    find_sim();
    if (!load_after) {
        load_foreign();
        (void)use_openssl(NULL);
    }
    ready_open(&ready, &sim, "beside");
    if (load_after) {
        load_foreign();
    }
    for (int i = 0; i < USERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, users[i], NULL), 0);
    }
    for (int i = 0; i < USERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&failures), 0);
    ready_close(&ready);
    /* The host's go on when ours are gone. */
    (void)use_openssl(NULL);
    (void)use_curl(NULL);
    assert_int_equal(atomic_load(&failures), 0);
    sim_stop(&sim);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_work)};
    load_after = argc > 1 && strcmp(argv[1], "after") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
