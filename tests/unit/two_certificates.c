#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "http_fixture.h"
#include "tls_server.h"
#include "two_certificates.h"

char right_certificate[128], wrong_certificate[128];

int two_certificates_start(void **state)
{
    int rc = http_fixture_start(state);
    (void)text_format(wrong_certificate, sizeof wrong_certificate, "%s/wrong.pem", http.folder);
    (void)text_format(right_certificate, sizeof right_certificate, "%s/right.pem", http.folder);
    /* Each start makes a certificate of its own. */
    bool is_wrong = rc == 0 && rename(http.ca_path, wrong_certificate) == 0;
    tls_server_stop();
    http.port = tls_server_start(right_certificate);
    return is_wrong && http.port != 0 ? 0 : -1;
}

int two_certificates_stop(void **state)
{
    (void)unlink(wrong_certificate);
    (void)unlink(right_certificate);
    return http_fixture_stop(state);
}

void two_certificates_trust(const char *path)
{
    (void)unlink(http.ca_path);
    assert_int_equal(link(path, http.ca_path), 0);
}
