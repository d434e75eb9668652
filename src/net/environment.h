/*
 * Variables of the environment that libcurl, OpenSSL and the resolver read by themselves.
 *
 * Owns nothing. Called once at each start of the provider.
 */
#ifndef AKVEKM_NET_ENVIRONMENT_H
#define AKVEKM_NET_ENVIRONMENT_H

/* Writes one log line for each such variable that is set: its value, and which library reads it, if
 * any. None of these variables holds a secret. */
void environment_report(void);

/* Calls `visit` for each such variable that is set, with its effect. */
typedef void environment_visitor(void *context, const char *name, const char *value,
                                 const char *effect);
void environment_visit(environment_visitor *visit, void *context);

#endif
