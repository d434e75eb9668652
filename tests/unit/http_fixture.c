#include "http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "platform/system.h"
#include "tls_server.h"

struct http_fixture http = {.connect_items = {http.connect_to}};

int http_fixture_start(void **state)
{
    (void)state;
    (void)text_copy(http.folder, sizeof http.folder, "/tmp/akvekm-http-XXXXXX");
    if (mkdtemp(http.folder) == NULL) {
        return -1;
    }
    (void)text_format(http.ca_path, sizeof http.ca_path, "%s/ca.pem", http.folder);
    http.port = tls_server_start(http.ca_path);
    return http.port != 0 ? 0 : -1;
}

int http_fixture_stop(void **state)
{
    (void)state;
    tls_server_stop();
    (void)unlink(http.ca_path);
    return rmdir(http.folder);
}

void http_fixture_configure(void)
{
    config_defaults(&http.config);
    (void)text_copy(http.config.ca_file, sizeof http.config.ca_file, http.ca_path);
    http.config.has_proxy = http.config.has_no_proxy = true;
    http.config.connect_to.items = http.connect_items;
    http.config.connect_to.count = 1;
    http_fixture_lead_to(http.port);
}

void http_fixture_lead_to(int port)
{
    (void)text_format(http.connect_to, sizeof http.connect_to, "::127.0.0.1:%d", port);
}

void http_fixture_open(void)
{
    char reason[256];
    enum ekm_rc rc = http_start(&http.config, reason, sizeof reason);
    if (rc != EKM_OK) {
        fail_msg("%s: %s", ekm_name(rc), reason);
    }
}

void http_fixture_begin(void)
{
    atomic_store(&http.aborted, false);
    call_begin(&http.call, "Test", &http.config);
    http.call.session_aborted = &http.aborted;
}

int http_set_up(void **state)
{
    (void)state;
    http_fixture_configure();
    tls_server_manner(TLS_NORMAL);
    http_response_init(&http.response);
    http_fixture_open();
    http_fixture_begin();
    return 0;
}

int http_tear_down(void **state)
{
    (void)state;
    http_response_free(&http.response);
    http_stop();
    return 0;
}

void http_fixture_reopen(void)
{
    http_stop();
    http_fixture_open();
    http_fixture_begin();
}

enum ekm_rc http_fixture_ask(const char *host, const char *path)
{
    char url[512];
    (void)text_format(url, sizeof url, "https://%s%s", host, path);
    struct http_request request = {.method = HTTP_GET, .url = url, .host = host};
    return http_perform(&http.call, &request, &http.response);
}

void http_fixture_expect(const char *path, enum ekm_rc rc)
{
    enum ekm_rc got = http_fixture_ask(HOST, path);
    if (got != rc) {
        fail_msg("%s instead of %s: %s", ekm_name(got), ekm_name(rc), http.call.error.note);
    }
    if (rc != EKM_OK) {
        assert_int_equal(http.call.error.rc, rc);
        assert_int_equal(http.response.status, 0);
    }
}

uint64_t http_fixture_elapsed_ms(void)
{
    return plat_now_ms() - http.call.start_ms;
}
