/*
 * Which proxy leads to a host: by the configuration, the system, or the environment, which is read
 * once, when the provider starts; curl itself reads none of it. And its name for the log.
 *
 * Owns what the environment said. Started and stopped by http.c; the rest from any thread between.
 */
#ifndef AKVEKM_NET_PROXY_H
#define AKVEKM_NET_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/call.h"

void proxy_start(const struct config *config);
void proxy_stop(void);

/* For curl: the proxy of the configuration or environment, "" for none; and the hosts that are
 * reached without, in curl's own form. */
const char *proxy_fixed(void);
const char *proxy_exempt(void);
/* Whether a proxy leads to this host, and which: as a person wrote it, but without a password. */
bool proxy_leads_to(const char *host, char *out, size_t cap);
/* Blots out user and password of that proxy, whoever quotes them. */
void proxy_hide(const char *host, char *text);

/* Notes for the call's log line by which proxy and to which address the last try went. */
void proxy_note(struct call *call, const char *host, const char *peer_address, long peer_port);

/* The entries of no_proxy that no host can match, with blanks or commas between; "" for none. */
const char *proxy_unmatched(void);

/* One line at the start for a proxy that the configuration does not name, and for entries of
 * no_proxy that no host can match. */
void proxy_report(void);

#endif
