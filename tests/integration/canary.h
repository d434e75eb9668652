/*
 * A secret in a log, in whatever form: as it is, escaped for a URL, as UTF-16 in the log's own
 * spelling, in hex, in base64 or base64url wherever it begins.
 *
 * Pure; any thread.
 */
#ifndef AKVEKM_INTEGRATION_CANARY_H
#define AKVEKM_INTEGRATION_CANARY_H

/* The form in which `text` contains `secret` (6 to 100 bytes), or NULL. */
const char *canary_find(const char *text, const char *secret);

#endif
