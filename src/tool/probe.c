#include "tool/probe.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "net/trust_store.h"
#include "platform/system.h"

#define SOCKET_STREAM 1 /* SOCK_STREAM of both systems, whose header belongs to src/platform */

void probe_init(struct probe *probe, const char *host, const char *port)
{
    memset(probe, 0, sizeof *probe);
    probe->socket = -1;
    (void)text_copy(probe->host, sizeof probe->host, host);
    (void)text_copy(probe->port, sizeof probe->port, port);
}

/* The last of OpenSSL's errors in words. */
static void probe_say_error(const char *otherwise, char *out, size_t cap)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long code = ERR_peek_last_error_data(&data, &flags);
    const char *reason = ERR_reason_error_string(code);
    bool has_data = (flags & ERR_TXT_STRING) != 0 && data != NULL && data[0] != '\0';
    (void)text_format(out, cap, "%s%s%s", reason != NULL ? reason : otherwise, has_data ? ": " : "",
                      has_data ? data : "");
    ERR_clear_error();
}

bool probe_resolve(struct probe *probe, char *problem, size_t cap)
{
    BIO_ADDRINFO *found = NULL;
    if (BIO_lookup_ex(probe->host, probe->port, BIO_LOOKUP_CLIENT, 0, SOCKET_STREAM, 0, &found) !=
        1) {
        probe_say_error("the name does not resolve", problem, cap);
        return false;
    }
    for (const BIO_ADDRINFO *at = found; at != NULL; at = BIO_ADDRINFO_next(at)) {
        if (probe->count == PROBE_ADDRESSES_MAX) {
            continue;
        }
        char *text = BIO_ADDR_hostname_string(BIO_ADDRINFO_address(at), 1);
        if (text != NULL) {
            struct probe_address *address = &probe->addresses[probe->count++];
            (void)text_copy(address->text, sizeof address->text, text);
            address->ipv6 = strchr(text, ':') != NULL;
            OPENSSL_free(text);
        }
    }
    BIO_ADDRINFO_free(found);
    return probe->count > 0;
}

/* The same faults have numbers of their own on Windows. */
static void probe_say_socket(int error, char *out, size_t cap)
{
    static const struct {
        int number, windows;
        const char *text;
    } faults[] = {
        {ECONNREFUSED, 10061, "connection refused"},
        {ETIMEDOUT, 10060, "no answer: dropped on the way"},
        {EHOSTUNREACH, 10065, "no route to it"},
        {ENETUNREACH, 10051, "this network is not reachable from here"},
        {EACCES, 10013, "forbidden by this machine's own firewall"},
        {ECONNRESET, 10054, "connection reset"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (error == faults[i].number || error == faults[i].windows) {
            (void)text_copy(out, cap, faults[i].text);
            return;
        }
    }
    (void)text_format(out, cap, "error %d of the system", error);
}

/* Negative: it failed, and the address says how. */
static int probe_open(const BIO_ADDRINFO *at, struct probe_address *address)
{
    int fd = BIO_socket(BIO_ADDRINFO_family(at), SOCKET_STREAM, 0, 0);
    if (fd < 0) {
        (void)text_copy(address->problem, sizeof address->problem, "no socket of this kind");
        return -1;
    }
    int connected = BIO_connect(fd, BIO_ADDRINFO_address(at), BIO_SOCK_NONBLOCK);
    if (connected != 1 && !BIO_sock_should_retry(-1)) {
        probe_say_socket(errno, address->problem, sizeof address->problem);
    } else if (connected != 1 && BIO_socket_wait(fd, 0, time(NULL) + PROBE_WAIT_S) != 1) {
        probe_say_socket(ETIMEDOUT, address->problem, sizeof address->problem);
    } else {
        int error = BIO_sock_error(fd);
        if (error != 0) {
            probe_say_socket(error, address->problem, sizeof address->problem);
        }
    }
    ERR_clear_error();
    if (address->problem[0] != '\0') {
        (void)BIO_closesocket(fd);
        return -1;
    }
    return fd;
}

bool probe_connect(struct probe *probe)
{
    for (size_t i = 0; i < probe->count; i++) {
        struct probe_address *address = &probe->addresses[i];
        BIO_ADDRINFO *found = NULL;
        uint64_t start_ms = plat_now_ms();
        (void)text_copy(address->problem, sizeof address->problem, "");
        if (BIO_lookup_ex(address->text, probe->port, BIO_LOOKUP_CLIENT, 0, SOCKET_STREAM, 0,
                          &found) != 1) {
            ERR_clear_error();
            (void)text_copy(address->problem, sizeof address->problem,
                            "no address of this machine");
            continue;
        }
        int fd = probe_open(found, address);
        address->ms = plat_now_ms() - start_ms;
        if (fd >= 0 && probe->socket < 0) {
            probe->socket = fd;
        } else if (fd >= 0) {
            (void)BIO_closesocket(fd);
        }
        BIO_ADDRINFO_free(found);
    }
    return probe->socket >= 0;
}

/* Reads to the empty line. */
static bool probe_read_head(BIO *bio, int fd, char *head, size_t cap)
{
    size_t len = 0;
    time_t end = time(NULL) + PROBE_WAIT_S;
    head[0] = '\0';
    while (len + 1 < cap && strstr(head, "\r\n\r\n") == NULL) {
        int got = BIO_read(bio, head + len, (int)(cap - 1 - len));
        if (got > 0) {
            len += (size_t)got;
            head[len] = '\0';
        } else if (!BIO_should_retry(bio) ||
                   BIO_socket_wait(fd, BIO_should_write(bio) ? 0 : 1, end) != 1) {
            break;
        }
    }
    ERR_clear_error();
    return strstr(head, "\r\n\r\n") != NULL;
}

static bool probe_write(BIO *bio, int fd, const char *text)
{
    time_t end = time(NULL) + PROBE_WAIT_S;
    size_t done = 0, len = strlen(text);
    while (done < len) {
        int put = BIO_write(bio, text + done, (int)(len - done));
        if (put > 0) {
            done += (size_t)put;
        } else if (!BIO_should_retry(bio) || BIO_socket_wait(fd, 0, end) != 1) {
            ERR_clear_error();
            return false;
        }
    }
    return true;
}

bool probe_tunnel(struct probe *probe, const char *host, const char *port, char *problem,
                  size_t cap)
{
    char request[700], head[2048] = "";
    BIO *bio = BIO_new_socket(probe->socket, BIO_NOCLOSE);
    (void)text_format(request, sizeof request,
                      "CONNECT %.253s:%.6s HTTP/1.1\r\nHost: %.253s:%.6s\r\n\r\n", host, port, host,
                      port);
    bool answered = bio != NULL && probe_write(bio, probe->socket, request) &&
                    probe_read_head(bio, probe->socket, head, sizeof head);
    BIO_free(bio);
    head[strcspn(head, "\r\n")] = '\0';
    bool led = answered && strlen(head) > 12 && strncmp(head, "HTTP/", 5) == 0 && head[9] == '2';
    if (!led) {
        (void)text_format(problem, cap, "%.100s", answered ? head : "the proxy does not answer");
    }
    return led;
}

bool probe_shake(struct probe *probe, const struct call *call, const char *name,
                 struct probe_certificate *out, char *problem, size_t cap)
{
    memset(out, 0, sizeof *out);
    probe->context = SSL_CTX_new(TLS_client_method());
    if (probe->context == NULL ||
        SSL_CTX_set_min_proto_version(probe->context, TLS1_2_VERSION) != 1) {
        probe_say_error("TLS cannot be begun", problem, cap);
        return false;
    }
    /* If no certificate is trusted, the result of the verification says so. */
    enum ekm_rc rc = trust_store_apply(probe->context, call);
    SSL_CTX_set_verify(probe->context, SSL_VERIFY_NONE, NULL);
    probe->ssl = SSL_new(probe->context);
    char server[256]; /* OpenSSL's macro takes no const */
    if (rc == EKM_DEADLINE || !text_copy(server, sizeof server, name) || probe->ssl == NULL ||
        SSL_set_fd(probe->ssl, probe->socket) != 1 ||
        SSL_set_tlsext_host_name(probe->ssl, server) != 1 || SSL_set1_host(probe->ssl, name) != 1) {
        probe_say_error("TLS cannot be begun", problem, cap);
        return false;
    }
    time_t end = time(NULL) + PROBE_WAIT_S;
    for (;;) {
        int done = SSL_connect(probe->ssl);
        if (done == 1) {
            break;
        }
        int error = SSL_get_error(probe->ssl, done);
        bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
        if (waits && BIO_socket_wait(probe->socket, error == SSL_ERROR_WANT_READ, end) == 1) {
            continue;
        }
        probe_say_error(waits ? "connected, but no answer to TLS: a firewall drops it silently"
                              : "the connection was closed in the midst of the handshake",
                        problem, cap);
        return false;
    }
    (void)text_copy(out->tls, sizeof out->tls, SSL_get_version(probe->ssl));
    out->verdict = SSL_get_verify_result(probe->ssl);
    chain_read(probe->ssl, &out->chain);
    return true;
}

bool probe_ask(struct probe *probe, const char *name, const char *path, char *head, size_t cap)
{
    char request[900];
    BIO *bio = BIO_new(BIO_f_ssl());
    if (bio == NULL || BIO_set_ssl(bio, probe->ssl, BIO_NOCLOSE) != 1) {
        BIO_free(bio);
        return false;
    }
    (void)text_format(request, sizeof request,
                      "GET %.300s HTTP/1.1\r\nHost: %.253s\r\nAccept: application/json\r\n"
                      "Connection: close\r\n\r\n",
                      path, name);
    bool answered =
        probe_write(bio, probe->socket, request) && probe_read_head(bio, probe->socket, head, cap);
    BIO_free_all(bio); /* with its reference to the socket's */
    return answered;
}

void probe_field(const char *head, const char *name, char *out, size_t cap)
{
    size_t name_len = strlen(name);
    out[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (text_equal_nocase_n(line, name, name_len) && line[name_len] == ':') {
            const char *value = line + name_len + 1;
            value += strspn(value, " \t");
            (void)text_copy_n(out, cap, value, strcspn(value, "\r\n"));
            return;
        }
    }
}

void probe_close(struct probe *probe)
{
    SSL_free(probe->ssl);
    SSL_CTX_free(probe->context);
    if (probe->socket >= 0) {
        (void)BIO_closesocket(probe->socket);
    }
    probe->ssl = NULL;
    probe->context = NULL;
    probe->socket = -1;
    ERR_clear_error();
}
