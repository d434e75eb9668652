#include "listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls_server.h"

#define DAY_S      86400L
#define NAMES      "DNS:*.vault.azure.net,DNS:login.microsoftonline.com,DNS:*.example.com"
#define LONG_BYTES ((size_t)200 * 1024)
#define SLOW_MS    50

static struct {
    char own_path[96], ca_path[96], key_path[96];
} listener;

static void listener_present(const char *names, long from_s, long until_s, bool issued)
{
    const struct tls_identity identity = {names, from_s, until_s, issued ? listener.ca_path : NULL,
                                          issued ? listener.key_path : NULL};
    assert_true(tls_server_identity(&identity));
}

/* `head`, then the line again and again up to LONG_BYTES, then `tail`. */
static void listener_script(const char *head, const char *line, const char *tail, int per_byte_ms)
{
    size_t room = strlen(head) + LONG_BYTES + strlen(line) + strlen(tail) + 1, len = strlen(head);
    char *text = malloc(room);
    assert_non_null(text);
    memcpy(text, head, len);
    while (line[0] != '\0' && len < LONG_BYTES) {
        memcpy(text + len, line, strlen(line));
        len += strlen(line);
    }
    memcpy(text + len, tail, strlen(tail) + 1);
    tls_server_script(text, len + strlen(tail), per_byte_ms);
    free(text);
    tls_server_manner(TLS_SCRIPT);
}

static void set_script(enum listener manner)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\n", end[] = "Content-Length: 2\r\n\r\n{}";
    static const char zero[] = "HTTP/1.1 200 OK\r\nX-Zero: a\0b\r\nContent-Length: 2\r\n\r\n{}";
    switch (manner) {
    case NO_HTTP:
        listener_script("220 smtp.contoso.com at your service\r\n", "", "", 0);
        return;
    case CUT_HEADER:
        listener_script(ok, "", "Content-Le", 0);
        return;
    case SLOW_HEADER:
        listener_script(ok, "X-Slow: a\r\n", end, SLOW_MS);
        return;
    case LONG_HEADER_LINE:
        listener_script("HTTP/1.1 200 OK\r\nX-Long: ", "abcdefghijklmnop", "\r\n\r\n", 0);
        return;
    case LONG_HEADER:
        listener_script(ok, "X-Long: abcdefghijklmnop\r\n", end, 0);
        return;
    case BAD_CHUNKS:
        listener_script(ok, "", "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 0);
        return;
    case BAD_LENGTH:
        listener_script(ok, "", "Content-Length: 1000\r\n\r\n{}", 0);
        return;
    case ENDLESS_INTERIM:
        listener_script("", "HTTP/1.1 100 Continue\r\n\r\n", "", 0);
        return;
    case ZERO_IN_HEADER:
        tls_server_script(zero, sizeof zero - 1, 0);
        tls_server_manner(TLS_SCRIPT);
        return;
    default:
        fail_msg("no such script");
    }
}

void listener_set(enum listener manner)
{
    bool issued = manner != OTHER_AUTHORITY;
    long from_s = manner == FUTURE_CERTIFICATE ? DAY_S : -2 * DAY_S;
    long until_s = manner == EXPIRED_CERTIFICATE ? -DAY_S : 2 * DAY_S;
    listener_present(manner == OTHER_HOST ? "DNS:www.contoso.com" : NAMES, from_s, until_s, issued);
    switch (manner) {
    case OLD_PROTOCOL:
        tls_server_manner(TLS_OLD);
        return;
    case NO_HANDSHAKE:
        tls_server_manner(TLS_SILENT);
        return;
    case BROKEN_HANDSHAKE:
        tls_server_manner(TLS_BROKEN);
        return;
    case NO_TLS:
        tls_server_manner(TLS_PLAIN);
        return;
    case FOREIGN_HOST:
    case EXPIRED_CERTIFICATE:
    case FUTURE_CERTIFICATE:
    case OTHER_HOST:
    case OTHER_AUTHORITY:
        tls_server_manner(TLS_NORMAL);
        return;
    default:
        set_script(manner);
    }
}

int listener_start(const struct sim *sim)
{
    snprintf(listener.own_path, sizeof listener.own_path, "%s/listener.pem", sim->folder);
    snprintf(listener.ca_path, sizeof listener.ca_path, "%s/ca.pem", sim->folder);
    snprintf(listener.key_path, sizeof listener.key_path, "%s/ca.key", sim->folder);
    int port = tls_server_start(listener.own_path);
    assert_int_not_equal(port, 0);
    listener_set(FOREIGN_HOST);
    return port;
}

void listener_stop(void)
{
    tls_server_stop();
}

bool listener_was_told(void)
{
    return tls_server_heard("client_secret") || tls_server_heard(SIM_SECRET) ||
           tls_server_heard("eyJ0eXAi");
}
