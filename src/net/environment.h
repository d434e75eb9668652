/*
 * What libcurl, OpenSSL and the resolver read from the environment of the process by themselves.
 *
 * Owns nothing. Called once at each start of the provider.
 */
#ifndef AKVEKM_NET_ENVIRONMENT_H
#define AKVEKM_NET_ENVIRONMENT_H

/* One log line for each such variable that is set: who reads it, or that nobody does. Values are
 * shown where they can hold no secret. */
void environment_report(void);

/* Each of them that is set, with what it does. */
typedef void environment_visitor(void *context, const char *name, const char *value,
                                 const char *effect);
void environment_visit(environment_visitor *visit, void *context);

#endif
