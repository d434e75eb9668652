/*
 * The library as SQL Server runs it: started with its configuration, signed in at a vault.
 *
 * Owns the one session of this process, and the SECRET until it is handed over. One thread.
 */
#ifndef AKVEKM_TOOL_CONNECTION_H
#define AKVEKM_TOOL_CONNECTION_H

#include "base/call.h"
#include "provider/session.h"

struct connection {
    const struct config *config; /* NULL: not started */
    struct vault vault;          /* credential NULL: none was read */
    char odd[SESSION_ODD_MAX];   /* what is odd about SECRET, without a character of it */
};

/* Acts as `user` (see account.h), reads the configuration and starts the provider. On failure the
 * reason is in `why`; connection_close must follow in any case. */
enum ekm_rc connection_start(struct connection *connection, const char *user, char *why,
                             size_t cap) EKM_MUST_CHECK;

/* Begins a call of at most CONNECTION_CALL_MS, like an export. */
#define CONNECTION_CALL_MS 20000
void connection_begin_call(const struct connection *connection, struct call *call,
                           const char *operation);

/* Reads SECRET from standard input and makes a vault with its credential from IDENTITY and SECRET.
 * Sends nothing. Set in the call on failure. */
enum ekm_rc connection_read(struct connection *connection, struct call *call,
                            const char *identity) EKM_MUST_CHECK;

/* Start, read and authenticate, for a command that needs nothing else. Writes the reason of a
 * failure to standard error. */
bool connection_open(struct connection *connection, const char *user, const char *identity);
void connection_close(struct connection *connection);

/* Writes a failure of the call, and what to do about it, to standard error. */
void connection_complain(const struct call *call, enum ekm_rc rc);

/* "3113: text; note; http 403 ForbiddenByRbac; AADSTS..." of the call's failure. */
void connection_explain(const struct call *call, enum ekm_rc rc, char *out, size_t cap);

#endif
