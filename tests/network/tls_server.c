#include "tls_server.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

#define HEARD_MAX ((size_t)4 << 20)

static struct {
    int listener;
    pthread_t thread;
    atomic_int manner, connections, running, requests, resumed;
    atomic_int turned, turned_to; /* the first so many misbehave; how */
    atomic_bool stopping, offered_h2;
    pthread_mutex_t mutex; /* guards what follows */
    SSL_CTX *context;
    char *script;
    size_t script_len, heard_len;
    int per_byte_ms;
    char *heard;
} server = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Signed by the issuer, or by itself. */
static X509 *make_certificate(const struct tls_identity *identity, EVP_PKEY *key, X509 *issuer,
                              EVP_PKEY *issuer_key)
{
    static atomic_long serial;
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    X509V3_CTX extension_context;
    X509V3_set_ctx_nodb(&extension_context);
    X509V3_set_ctx(&extension_context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, &extension_context, NID_subject_alt_name, identity->names);
    (void)X509_set_version(certificate, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), atomic_fetch_add(&serial, 1) + 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), identity->from_s);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), identity->until_s);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)"akv-ekm test", -1, -1, 0);
    (void)X509_set_issuer_name(certificate, issuer != NULL ? X509_get_subject_name(issuer) : name);
    (void)X509_set_pubkey(certificate, key);
    (void)X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    (void)X509_sign(certificate, issuer_key != NULL ? issuer_key : key, EVP_sha256());
    return certificate;
}

static int write_certificate(const char *path, X509 *certificate)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        return -1;
    }
    int written = PEM_write_X509(file, certificate);
    return fclose(file) == 0 && written == 1 ? 0 : -1;
}

static void wait_for_stop(int fd)
{
    struct pollfd gone = {fd, POLLRDHUP, 0};
    while (!atomic_load(&server.stopping) && poll(&gone, 1, 20) == 0) {
    }
}

static void tls_server_hear(const char *request, size_t len)
{
    pthread_mutex_lock(&server.mutex);
    if (server.heard == NULL) {
        server.heard = calloc(1, HEARD_MAX + 1);
    }
    if (server.heard != NULL && len <= HEARD_MAX - server.heard_len) {
        memcpy(server.heard + server.heard_len, request, len);
        server.heard_len += len;
    }
    pthread_mutex_unlock(&server.mutex);
}

bool tls_server_heard(const char *text)
{
    pthread_mutex_lock(&server.mutex);
    bool heard =
        server.heard != NULL && memmem(server.heard, server.heard_len, text, strlen(text)) != NULL;
    pthread_mutex_unlock(&server.mutex);
    return heard;
}

/* Reads the head of one request; false at the end of the connection. Bodies arrive together with
 * their head here. */
static bool read_request(SSL *tls, char *request, size_t cap)
{
    size_t used = 0;
    while (used < cap - 1) {
        int got = SSL_read(tls, request + used, (int)(cap - 1 - used));
        if (got <= 0) {
            return false;
        }
        used += (size_t)got;
        request[used] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        const char *length = strcasestr(request, "\r\ncontent-length: ");
        size_t body = length != NULL && length < end ? (size_t)atoi(length + 18) : 0;
        if (end != NULL && used >= (size_t)(end + 4 - request) + body) {
            return true;
        }
    }
    return false;
}

static bool send_text(SSL *tls, const char *text)
{
    return SSL_write(tls, text, (int)strlen(text)) > 0;
}

static bool tls_server_answer(SSL *tls, const char *status, const char *headers, const char *body)
{
    char text[16384];
    (void)snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s", status,
                   strlen(body), headers, body);
    return send_text(tls, text);
}

/* Closing it would close the connection. */
static bool answer_too_much(SSL *tls)
{
    static const char kilobyte[1024];
    bool sent = send_text(tls, "HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; sent && i < 1024; i++) {
        sent = SSL_write(tls, kilobyte, sizeof kilobyte) > 0;
    }
    return false;
}

/* False: the connection ends. */
static bool tls_server_serve(SSL *tls, const char *request)
{
    char path[64] = "";
    (void)sscanf(request, "%*s %63s", path);
    if (strcmp(path, "/hang") == 0) {
        wait_for_stop(SSL_get_fd(tls));
        return false;
    } else if (strcmp(path, "/cut") == 0) {
        return false;
    } else if (strcmp(path, "/half") == 0) {
        (void)send_text(tls, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
        return false;
    } else if (strcmp(path, "/garbage") == 0) {
        (void)send_text(tls, "220 smtp.contoso.com at your service\r\n");
        return false;
    } else if (strcmp(path, "/big") == 0) {
        return answer_too_much(tls);
    } else if (strcmp(path, "/announced") == 0) {
        (void)send_text(tls, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\nx");
        wait_for_stop(SSL_get_fd(tls));
        return false;
    } else if (strcmp(path, "/echo") == 0) {
        return tls_server_answer(tls, "200 OK", "", request);
    } else if (strcmp(path, "/redirect") == 0) {
        return tls_server_answer(tls, "302 Found", "Location: /ok\r\nSet-Cookie: a=b\r\n", "");
    } else if (strcmp(path, "/challenge") == 0) {
        return tls_server_answer(
            tls, "401 Unauthorized",
            "WWW-Authenticate: PoP nonce=\"x\"\r\nwww-authenticate:  Bearer a=\"b\" \r\n"
            "RETRY-AFTER: 7\r\nX-Ms-Request-Id: id-2\r\n",
            "no");
    } else if (strcmp(path, "/late") == 0) {
        (void)usleep(300000);
    }
    return tls_server_answer(tls, "200 OK", "x-ms-request-id: id-1\r\n", "{\"ok\":true}");
}

/* Sends a copy, because the script may be replaced meanwhile. */
static void send_script(SSL *tls)
{
    pthread_mutex_lock(&server.mutex);
    size_t len = server.script_len, part = server.per_byte_ms > 0 ? 1 : len;
    useconds_t pause_us = 1000 * (useconds_t)server.per_byte_ms;
    char *script = malloc(len + 1);
    if (script != NULL && len > 0) {
        memcpy(script, server.script, len);
    }
    pthread_mutex_unlock(&server.mutex);
    bool sent = script != NULL;
    for (size_t at = 0; sent && at < len && !atomic_load(&server.stopping); at += part) {
        sent = SSL_write(tls, script + at, (int)part) > 0;
        (void)usleep(pause_us);
    }
    free(script);
    if (sent) {
        (void)SSL_shutdown(tls);
    }
}

/* A connection that was good when it was opened and now misbehaves; `open` until it ends. */
static bool serve_turned(SSL *tls, bool *open)
{
    int turned_to = atomic_load(&server.turned_to);
    if (turned_to == TLS_TURNED_HALF) {
        (void)send_text(tls, "HTTP/1.1 200 OK\r\nContent-Length: 23\r\nx-ms-request-id: half\r\n"
                             "Content-Type: application/json\r\n\r\n{\"half\":\"ha");
    }
    if (turned_to == 0 || turned_to == TLS_TURNED_HALF) {
        wait_for_stop(SSL_get_fd(tls));
        *open = false;
    } else {
        char status[32];
        (void)snprintf(status, sizeof status, "%d Turned", turned_to);
        *open = tls_server_answer(tls, status, "Content-Type: text/html\r\n", "<html>");
    }
    return true;
}

static void tls_server_talk(SSL *tls, enum tls_manner manner, int number)
{
    char request[8192];
    if (manner == TLS_OLD) {
        /* OpenSSL's usual security level would refuse it on this side. */
        SSL_set_security_level(tls, 0);
        (void)SSL_set_cipher_list(tls, "ALL:@SECLEVEL=0");
        (void)SSL_set_max_proto_version(tls, TLS1_1_VERSION);
    } else if (manner == TLS_LATE) {
        (void)usleep(300000);
    }
    bool open = SSL_accept(tls) == 1;
    atomic_fetch_add(&server.resumed, open && SSL_session_reused(tls) == 1);
    while (open && read_request(tls, request, sizeof request)) {
        atomic_fetch_add(&server.requests, 1);
        if (manner == TLS_SCRIPT) {
            send_script(tls);
            return;
        }
        tls_server_hear(request, strlen(request));
        if (number > atomic_load(&server.turned) || !serve_turned(tls, &open)) {
            open = tls_server_serve(tls, request);
        }
    }
}

static void *tls_server_connection(void *context)
{
    static const char plain[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    int fd = (int)((intptr_t)context & 0xffff), number = (int)((intptr_t)context >> 20);
    char hello[16];
    enum tls_manner manner = (enum tls_manner)((intptr_t)context >> 16 & 0xf);
    if (manner == TLS_SILENT) {
        wait_for_stop(fd);
    } else if (manner == TLS_BROKEN || manner == TLS_PLAIN) {
        (void)recv(fd, hello, sizeof hello, 0);
        if (manner == TLS_PLAIN) {
            (void)send(fd, plain, sizeof plain - 1, MSG_NOSIGNAL);
        }
    } else {
        pthread_mutex_lock(&server.mutex);
        SSL *tls = SSL_new(server.context);
        pthread_mutex_unlock(&server.mutex);
        (void)SSL_set_fd(tls, fd);
        tls_server_talk(tls, manner, number);
        /* Else OpenSSL forgets the session with the connection. */
        SSL_set_shutdown(tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(tls);
        ERR_clear_error();
    }
    (void)close(fd);
    atomic_fetch_sub(&server.running, 1);
    return NULL;
}

static void *accept_all(void *context)
{
    pthread_attr_t detached;
    pthread_t thread;
    (void)context;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (;;) {
        int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) {
            continue;
        }
        if (fd < 0) {
            break;
        }
        /* Otherwise a client that keeps its connection would keep the server from stopping. */
        struct timeval patience = {5, 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        /* Read before the connection counts, because a test that saw the count may change the mode.
         */
        intptr_t manner = atomic_load(&server.manner);
        intptr_t number = atomic_fetch_add(&server.connections, 1) + 1;
        atomic_fetch_add(&server.running, 1);
        if (pthread_create(&thread, &detached, tls_server_connection,
                           (void *)(number << 20 | manner << 16 | fd)) != 0) {
            atomic_fetch_sub(&server.running, 1);
            (void)close(fd);
        }
    }
    pthread_attr_destroy(&detached);
    return NULL;
}

static X509 *read_certificate(const char *path)
{
    FILE *file = fopen(path, "re");
    X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file != NULL) {
        (void)fclose(file);
    }
    return certificate;
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *file = fopen(path, "re");
    EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file != NULL) {
        (void)fclose(file);
    }
    return key;
}

/* Accepts HTTP/2 from any client that offers it, as real vaults do, but cannot speak it. */
static int choose_protocol(SSL *tls, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *unused)
{
    static const unsigned char known[] = "\x02h2\x08http/1.1";
    unsigned char *chosen = NULL;
    (void)tls;
    (void)unused;
    if (SSL_select_next_proto(&chosen, out_len, known, sizeof known - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    if (*out_len == 2) {
        atomic_store(&server.offered_h2, true);
    }
    return SSL_TLSEXT_ERR_OK;
}

/* A context that presents such a certificate, which is written to `save_path` unless that is NULL.
 * NULL: it cannot be made. */
static SSL_CTX *make_context(const struct tls_identity *identity, const char *save_path)
{
    bool has_issuer = identity->ca_path != NULL;
    X509 *issuer = has_issuer ? read_certificate(identity->ca_path) : NULL;
    EVP_PKEY *issuer_key = has_issuer ? read_key(identity->ca_key_path) : NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(identity, key, issuer, issuer_key);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool made = has_issuer == (issuer != NULL && issuer_key != NULL) &&
                (save_path == NULL || write_certificate(save_path, certificate) == 0) &&
                SSL_CTX_use_certificate(context, certificate) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1;
    (void)SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    X509_free(certificate);
    X509_free(issuer);
    EVP_PKEY_free(key);
    EVP_PKEY_free(issuer_key);
    if (!made) {
        SSL_CTX_free(context);
    }
    return made ? context : NULL;
}

bool tls_server_identity(const struct tls_identity *identity)
{
    SSL_CTX *next = make_context(identity, NULL);
    if (next == NULL) {
        return false;
    }
    pthread_mutex_lock(&server.mutex);
    SSL_CTX *former = server.context;
    server.context = next;
    pthread_mutex_unlock(&server.mutex);
    SSL_CTX_free(former);
    return true;
}

void tls_server_sessions(enum tls_sessions sessions)
{
    static const unsigned char name[] = "akv-ekm test";
    unsigned char keys[80];
    bool is_1_2 = sessions == TLS_SESSIONS_1_2 || sessions == TLS_SESSIONS_IDS;
    bool tickets = sessions == TLS_SESSIONS || sessions == TLS_SESSIONS_1_2;
    pthread_mutex_lock(&server.mutex);
    SSL_CTX *context = server.context;
    (void)RAND_bytes(keys, sizeof keys);
    (void)SSL_CTX_set_tlsext_ticket_keys(context, keys, sizeof keys);
    (void)SSL_CTX_set_session_id_context(context, name, sizeof name);
    (void)SSL_CTX_set_max_proto_version(context, is_1_2 ? TLS1_2_VERSION : 0);
    (void)SSL_CTX_set_num_tickets(context, tickets ? 2 : 0);
    SSL_CTX_set_session_cache_mode(context, sessions == TLS_SESSIONS_IDS ? SSL_SESS_CACHE_SERVER
                                                                         : SSL_SESS_CACHE_OFF);
    if (tickets) {
        SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
    } else {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    }
    pthread_mutex_unlock(&server.mutex);
}

int tls_server_resumed(void)
{
    return atomic_load(&server.resumed);
}

void tls_server_script(const char *bytes, size_t len, int per_byte_ms)
{
    char *copy = malloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, bytes, len);
    }
    pthread_mutex_lock(&server.mutex);
    free(server.script);
    server.script = copy;
    server.script_len = copy != NULL ? len : 0;
    server.per_byte_ms = per_byte_ms;
    pthread_mutex_unlock(&server.mutex);
}

/* The server's threads must not die when a client is gone: they inherit a mask that blocks SIGPIPE.
 * The client's threads keep their own mask. */
static bool start_thread(void)
{
    sigset_t pipe_only, former;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &former);
    bool started = pthread_create(&server.thread, NULL, accept_all, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
    return started;
}

int tls_server_start(const char *ca_path)
{
    const struct tls_identity own = {"DNS:*.vault.azure.net", -3600, 3600, NULL, NULL};
    int port = 0;
    atomic_store(&server.manner, TLS_NORMAL);
    atomic_store(&server.connections, 0);
    atomic_store(&server.requests, 0);
    atomic_store(&server.resumed, 0);
    atomic_store(&server.turned, 0);
    atomic_store(&server.stopping, false);
    atomic_store(&server.offered_h2, false);
    server.listener = loopback_listen(&port, 64);
    server.context = make_context(&own, ca_path);
    return server.context != NULL && server.listener >= 0 && start_thread() ? port : 0;
}

void tls_server_manner(enum tls_manner manner)
{
    atomic_store(&server.manner, (int)manner);
}

void tls_server_turn(int status)
{
    atomic_store(&server.turned_to, status);
    atomic_store(&server.turned, atomic_load(&server.connections));
}

bool tls_server_offered_h2(void)
{
    return atomic_load(&server.offered_h2);
}

int tls_server_open(void)
{
    return atomic_load(&server.running);
}

int tls_server_connections(void)
{
    return atomic_load(&server.connections);
}

int tls_server_requests(void)
{
    return atomic_load(&server.requests);
}

void tls_server_stop(void)
{
    atomic_store(&server.stopping, true);
    (void)shutdown(server.listener, SHUT_RDWR);
    (void)pthread_join(server.thread, NULL);
    while (atomic_load(&server.running) > 0) {
        (void)usleep(10000);
    }
    (void)close(server.listener);
    SSL_CTX_free(server.context);
    free(server.heard);
    free(server.script);
    server.heard = server.script = NULL;
    server.script_len = 0;
    server.heard_len = 0;
}
