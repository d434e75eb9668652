/*
 * The proxy for a host by the system's settings. Only Windows has such settings; POSIX systems have
 * the environment (proxy.h).
 *
 * Owns the results for as long as the provider is up, as the connector does. A lookup that failed
 * is repeated after a minute. http.c, http_options.c and proxy.c call it, from any thread.
 */
#ifndef AKVEKM_NET_SYSTEM_PROXY_H
#define AKVEKM_NET_SYSTEM_PROXY_H

#include <stdbool.h>
#include <stddef.h>

/* Finds the proxy for HTTPS to this host, for example "http://proxy:8080". False, and "": these
 * settings name none. The first time it may use the network, beyond the call's deadline: about five
 * seconds for each step of a proxy script's download, and as long as the system takes to search for
 * a script. */
bool system_proxy_find(const char *host, char *out, size_t cap);
void system_proxy_forget(void);
/* Describes these settings for the log, without using the network. False: there are none. */
bool system_proxy_settings(char *out, size_t cap);

/* For the Windows source and its test. Picks the proxy for HTTPS from `list`, for example
 * "proxy:8080" or "http=a:80;https=b:8080". False: it names none, or it does not fit. */
bool system_proxy_pick(const char *list, char *out, size_t cap);
/* Whether the list exempts the host. `bypass` is for example "*.contoso.com;10.*;<local>". */
bool system_proxy_bypassed(const char *bypass, const char *host);

#endif
