/*
 * What ends on a known day, and is told in time: keys, certificates, client secrets.
 *
 * Owns which of them were told of today. Any thread. Each thing gives one line a day, from 60 days
 * before its end on, in the log and the system log; specification.md section 9.
 */
#ifndef AKVEKM_VAULT_EXPIRY_H
#define AKVEKM_VAULT_EXPIRY_H

#include "base/call.h"

#define EXPIRY_WARN_DAYS 60
#define EXPIRY_DAY_S     86400

enum expiry_kind { EXPIRY_KEY, EXPIRY_CERTIFICATE, EXPIRY_SECRET };

/* `what` tells one thing of a kind from the others. end_s is Unix time, 0: it does not end. */
void expiry_note(struct call *call, enum expiry_kind kind, const char *what, int64_t end_s);
void expiry_clear(void); /* at Free */

/* Whole days that are left; negative once it is over. */
int64_t expiry_days_left(int64_t end_s);
/* When the secret of this client ID (GUID form) ends by the setting secret_expires; 0: it does not
 * say. */
int64_t expiry_of_secret(const struct config *config, const char *client_id);

#endif
