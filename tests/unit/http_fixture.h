/*
 * Real requests to a server of the test's own (tls_server.h): a folder, the server, a configuration
 * that leads to it, one call and its response.
 *
 * One for each program; the call is one thread's.
 */
#ifndef AKVEKM_UNIT_HTTP_FIXTURE_H
#define AKVEKM_UNIT_HTTP_FIXTURE_H

#include "net/http.h"

#define HOST "contoso.vault.azure.net"

struct http_fixture {
    char folder[64], ca_path[96], connect_to[128];
    char *connect_items[1];
    int port; /* of the server */
    struct config config;
    struct call call;
    struct http_response response;
    atomic_bool aborted;
};
extern struct http_fixture http;

/* Around all tests of a program: the folder and the server. */
int http_fixture_start(void **state);
int http_fixture_stop(void **state);
/* Around each test: the library's transport with the usual configuration, and a call. */
int http_set_up(void **state);
int http_tear_down(void **state);

/* Trusts the server's certificate and goes to its port, whatever the environment says of proxies.
 */
void http_fixture_configure(void);
/* Connections to any host go there. */
void http_fixture_lead_to(int port);
/* http_start with that configuration; a failure is the test's. */
void http_fixture_open(void);
/* For settings that http_start reads. */
void http_fixture_reopen(void);
/* A new call, not aborted. */
void http_fixture_begin(void);

/* One GET in the fixture's call. */
enum ekm_rc http_fixture_ask(const char *host, const char *path);
/* Of HOST, with this outcome. */
void http_fixture_expect(const char *path, enum ekm_rc rc);
/* Since the call began. */
uint64_t http_fixture_elapsed_ms(void);

#endif
