/* Every number that libcurl may give has a meaning, those of newer versions as well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "net/curl_library.h"
#include "net/curl_result.h"

/* Only these say that we used curl wrongly. */
static bool is_ours(int result)
{
    static const int ours[] = {CURLE_URL_MALFORMAT,         CURLE_NOT_BUILT_IN,
                               CURLE_BAD_FUNCTION_ARGUMENT, CURLE_UNKNOWN_OPTION,
                               CURLE_SETOPT_OPTION_SYNTAX,  CURLE_RECURSIVE_API_CALL};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (ours[i] == result) {
            return true;
        }
    }
    return false;
}

static void every_number_has_a_meaning(void **state)
{
    (void)state;
    for (int result = 1; result <= 400; result++) {
        enum ekm_rc rc = curl_result_meaning(result);
        assert_int_not_equal(rc, EKM_OK);
        assert_int_equal(rc == EKM_INTERNAL, is_ours(result));
    }
}

/* No other try could help, or it would do harm. */
static void errors_that_are_not_retried(void **state)
{
    static const int final[] = {CURLE_WRITE_ERROR,
                                CURLE_OUT_OF_MEMORY,
                                CURLE_ABORTED_BY_CALLBACK,
                                CURLE_PEER_FAILED_VERIFICATION,
                                CURLE_FILESIZE_EXCEEDED,
                                CURLE_LOGIN_DENIED,
                                CURLE_SSL_CACERT_BADFILE,
                                CURLE_SSL_CRL_BADFILE,
                                CURLE_SSL_ISSUER_ERROR,
                                CURLE_SSL_PINNEDPUBKEYNOTMATCH,
                                CURLE_SSL_INVALIDCERTSTATUS,
                                CURLE_AUTH_ERROR,
                                97 /* CURLE_PROXY: by its detail */,
                                100 /* CURLE_TOO_LARGE */};
    (void)state;
    for (int result = 1; result <= 400; result++) {
        bool is_final = is_ours(result);
        for (size_t i = 0; i < sizeof final / sizeof final[0]; i++) {
            is_final = is_final || final[i] == result;
        }
        if (ekm_retryable(curl_result_meaning(result)) == is_final) {
            fail_msg("curl %d: %s", result, ekm_name(curl_result_meaning(result)));
        }
    }
}

static void codes_of_the_common_ones(void **state)
{
    static const struct {
        int result, code;
    } rows[] = {
        {CURLE_COULDNT_RESOLVE_PROXY, 5013},
        {CURLE_COULDNT_RESOLVE_HOST, 3900},
        {CURLE_COULDNT_CONNECT, 3102},
        {CURLE_OPERATION_TIMEDOUT, 3107},
        {CURLE_SSL_CONNECT_ERROR, 3106},
        {CURLE_SEND_ERROR, 3106},
        {CURLE_PEER_FAILED_VERIFICATION, 3106},
        {CURLE_GOT_NOTHING, 3119},
        {CURLE_RECV_ERROR, 3119},
        {CURLE_PARTIAL_FILE, 3119},
        {CURLE_WRITE_ERROR, 3119},
        {CURLE_OUT_OF_MEMORY, 2051},
        {CURLE_ABORTED_BY_CALLBACK, 5007},
        {CURLE_FAILED_INIT, 3102},
        {CURLE_AGAIN, 3119},
        {99 /* CURLE_UNRECOVERABLE_POLL */, 3119},
        {101 /* CURLE_ECH_REQUIRED */, 3106},
        {102 /* of a libcurl to come */, 3119},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(ekm_code(curl_result_meaning(rows[i].result)), rows[i].code);
    }
}

/* A SOCKS proxy that cannot reach the host now may do so soon; one that refuses us will not. */
static void details_of_a_proxy(void **state)
{
    (void)state;
    assert_int_equal(curl_result_proxy(CURLPX_REPLY_HOST_UNREACHABLE), EKM_PROXY_UNREACHABLE);
    assert_int_equal(curl_result_proxy(CURLPX_REPLY_GENERAL_SERVER_FAILURE), EKM_PROXY_UNREACHABLE);
    assert_int_equal(curl_result_proxy(CURLPX_CLOSED), EKM_PROXY_UNREACHABLE);
    assert_int_equal(curl_result_proxy(CURLPX_USER_REJECTED), EKM_PROXY);
    assert_int_equal(curl_result_proxy(CURLPX_NO_AUTH), EKM_PROXY);
    assert_int_equal(curl_result_proxy(CURLPX_REPLY_NOT_ALLOWED), EKM_PROXY);
    assert_int_equal(curl_result_proxy(0), EKM_PROXY);
}

static void the_tls_library_in_use(void **state)
{
    (void)state;
    assert_int_equal(curl_library_openssl("OpenSSL/3.0.15"), 3);
    assert_int_equal(curl_library_openssl("OpenSSL/4.0.3 zlib/1.3"), 4);
    assert_int_equal(curl_library_openssl("OpenSSL/10.1.0"), 10);
    assert_int_equal(curl_library_openssl("(Schannel) OpenSSL/3.5.1"), 3);
    assert_int_equal(curl_library_openssl("Schannel (OpenSSL/3.5.1)"), 0);
    assert_int_equal(curl_library_openssl("OpenSSL/1.1.1w"), 1);
    assert_int_equal(curl_library_openssl("GnuTLS/3.8.9"), 0);
    assert_int_equal(curl_library_openssl("BoringOpenSSL/3"), 0);
    assert_int_equal(curl_library_openssl(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_has_a_meaning), cmocka_unit_test(errors_that_are_not_retried),
        cmocka_unit_test(codes_of_the_common_ones),   cmocka_unit_test(details_of_a_proxy),
        cmocka_unit_test(the_tls_library_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
