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

#endif
