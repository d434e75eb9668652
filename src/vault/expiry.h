/*
 * Warns before keys, certificates and client secrets expire.
 *
 * Owns a table of the warnings of the last day. Any thread. From 60 days before its end on, each
 * thing gives one line a day in the log and the system log. Rule: specification.md section 9.
 */
#ifndef AKVEKM_VAULT_EXPIRY_H
#define AKVEKM_VAULT_EXPIRY_H

#include "base/call.h"

#define EXPIRY_WARN_DAYS 60
#define EXPIRY_DAY_S     86400

enum expiry_kind { EXPIRY_KEY, EXPIRY_CERTIFICATE, EXPIRY_SECRET };

/* Warns if a warning is due. `what` identifies the thing among those of its kind. end_s is Unix
 * time; 0: it does not expire. */
void expiry_note(struct call *call, enum expiry_kind kind, const char *what, int64_t end_s);
void expiry_clear(void); /* called at Free */

/* The whole days until end_s (Unix time); negative after it. */
int64_t expiry_days_left(int64_t end_s);
/* When the secret of this client ID (a GUID) expires by the setting secret_expires, in Unix time.
 * 0: the setting does not say. */
int64_t expiry_of_secret(const struct config *config, const char *client_id);

#endif
