/*
 * The proxy of a host, from the configuration, the system or the environment, and its name for the
 * log. The environment is read once, when the provider starts; curl itself never reads it.
 *
 * Owns the environment's values. http.c starts and stops it; between, any thread may call the rest.
 */
#ifndef AKVEKM_NET_PROXY_H
#define AKVEKM_NET_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/call.h"

void proxy_start(const struct config *config);
void proxy_stop(void);

/* For curl: the proxy of the configuration or the environment, "" for none. */
const char *proxy_fixed(void);
/* For curl: the hosts that are reached without that proxy, as a list in the form of
 * CURLOPT_NOPROXY. */
const char *proxy_exempt(void);
/* Whether a proxy is used for this host. `out` gets the proxy as the administrator wrote it, but
 * without user and password; "" for none. */
bool proxy_leads_to(const char *host, char *out, size_t cap);
/* Masks user and password of the host's proxy wherever `text` quotes them. */
void proxy_hide(const char *host, char *text);

/* Notes the proxy and the address of the last try for the call's log line. */
void proxy_note(struct call *call, const char *host, const char *peer_address, long peer_port);

/* The entries of no_proxy that no host can match, separated by commas; "" for none. */
const char *proxy_unmatched(void);

/* Logs at start-up which proxy is used if the configuration names none, and which entries of
 * no_proxy no host can match. */
void proxy_report(void);

#endif
