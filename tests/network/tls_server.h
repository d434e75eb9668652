/*
 * A small HTTPS server on loopback that answers by path or by a script, correctly or not.
 *
 * Owns a listening socket, a self-signed certificate for *.vault.azure.net made at the start, a
 * thread that accepts, and one for each connection. Changes of its behaviour affect new
 * connections. Paths: /ok, /echo (the head of the request as body), /challenge (401), /hang, /cut
 * (no answer), /garbage (no HTTP), /half (part of the body), /big (more than HTTP_BODY_MAX),
 * /redirect, /late (answers after 300 ms).
 */
#ifndef AKVEKM_NETWORK_TLS_SERVER_H
#define AKVEKM_NETWORK_TLS_SERVER_H

#include <stdbool.h>
#include <stddef.h>

enum tls_manner {
    TLS_NORMAL,
    TLS_SILENT, /* accepts and sends nothing */
    TLS_LATE,   /* begins the handshake after 300 ms */
    TLS_BROKEN, /* closes in the middle of the handshake */
    TLS_OLD,    /* TLS 1.1 at most */
    TLS_PLAIN,  /* answers in plain HTTP */
    TLS_SCRIPT  /* sends the script's bytes to any request, then closes */
};

/* Writes the certificate to `ca_path` (mode 0600). Returns the port, or 0 after a failure. */
int tls_server_start(const char *ca_path);
void tls_server_manner(enum tls_manner manner);
/* The bytes that TLS_SCRIPT sends; per_byte_ms: slowly. */
void tls_server_script(const char *bytes, size_t len, int per_byte_ms);

enum tls_sessions {
    TLS_SESSIONS,      /* by tickets, of TLS 1.3 */
    TLS_SESSIONS_1_2,  /* by tickets, of TLS 1.2 */
    TLS_SESSIONS_IDS,  /* that the server keeps, of TLS 1.2 */
    TLS_SESSIONS_NONE, /* no session can be resumed */
};
/* For new connections. Tickets that were given before are refused. */
void tls_server_sessions(enum tls_sessions sessions);
int tls_server_resumed(void); /* connections that resumed a session */

struct tls_identity {
    const char *names;    /* "DNS:...,DNS:..." */
    long from_s, until_s; /* of validity, from now */
    const char *ca_path;  /* issuer, PEM; NULL: self-signed */
    const char *ca_key_path;
};
/* Uses another certificate from now on; false: it could not be made. */
bool tls_server_identity(const struct tls_identity *identity);
/* Whether any request so far had this text, except requests that a script answered. */
bool tls_server_heard(const char *text);
/* Makes all connections so far answer every request with a page of this status; with 0 with
 * nothing, or with half of a response and nothing more. New connections are good. */
#define TLS_TURNED_HALF (-1)
void tls_server_turn(int status);
/* Whether any client offered HTTP/2, which the server accepts if offered. */
bool tls_server_offered_h2(void);
int tls_server_open(void); /* connections that are not closed yet */
int tls_server_connections(void);
int tls_server_requests(void);
/* Ends every connection, hanging ones too. */
void tls_server_stop(void);

#endif
