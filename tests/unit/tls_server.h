/*
 * A small HTTPS server on loopback that answers by path, well or badly, for the tests of
 * net/http.c.
 *
 * Owns a listening socket, a self-signed certificate for *.vault.azure.net made at start, a thread
 * that accepts and one for each connection. Paths: /ok, /echo (the request's head as body),
 * /challenge (401), /hang, /cut (no answer), /garbage (no HTTP), /half (part of the body), /big
 * (more than HTTP_BODY_MAX), /redirect, /late (answers after 300 ms).
 */
#ifndef AKVEKM_TESTS_TLS_SERVER_H
#define AKVEKM_TESTS_TLS_SERVER_H

enum tls_manner {
    TLS_NORMAL,
    TLS_SILENT, /* accepts and says nothing */
    TLS_BROKEN, /* closes in the middle of the handshake */
    TLS_OLD     /* TLS 1.1 at most */
};

/* Writes the certificate to `ca_path` (mode 0600). The port, or 0 if it cannot be had. */
int tls_server_start(const char *ca_path);
void tls_server_manner(enum tls_manner manner);
int tls_server_connections(void);
int tls_server_requests(void);
/* Ends every connection, hanging ones too. */
void tls_server_stop(void);

#endif
