/*
 * The proxy that the system's settings name for a host, where the system has such settings.
 *
 * Owns what was found out, for as long as the provider is up, as the connector does; what could not
 * be found out is asked again after a minute. Called by http.c, http_options.c and proxy.c; any
 * thread. On POSIX there is none: curl reads the environment.
 */
#ifndef AKVEKM_NET_SYSTEM_PROXY_H
#define AKVEKM_NET_SYSTEM_PROXY_H

#include <stdbool.h>
#include <stddef.h>

/* "http://proxy:8080" for HTTPS to this host. False, and "": none by these settings. May ask the
 * network the first time, beyond the call's deadline: about five seconds for each step of a proxy
 * script's download, and as long as the system takes to look for one. */
bool system_proxy_find(const char *host, char *out, size_t cap);
void system_proxy_forget(void);
/* What these settings say, for the log, without asking the network; false: nothing. */
bool system_proxy_settings(char *out, size_t cap);

/* For the Windows source and its test: `list` is "proxy:8080" or "http=a:80;https=b:8080". */
bool system_proxy_pick(const char *list, char *out, size_t cap);
/* `bypass` is "*.contoso.com;10.*;<local>". */
bool system_proxy_bypassed(const char *bypass, const char *host);

#endif
