/*
 * Settings that can change while vaultsim runs: latency, throttling, challenge, token lifetime.
 *
 * Owns one record under a lock; settings_get returns a copy, so any thread may call. Not kept
 * across restarts.
 */
#ifndef VAULTSIM_SETTINGS_H
#define VAULTSIM_SETTINGS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

enum throttle_mode { THROTTLE_NONE, THROTTLE_STANDARD, THROTTLE_HSM };

struct settings {
    int latency_ms;
    int token_lifetime_s;
    enum throttle_mode throttle;
    int throttle_percent; /* the part of the limits that is left for the clients here */
    bool throttle_retry_after;
    bool implicit_rejection;
    bool memoise;
    bool disabled_get_403;
    int identity_lifetime_s; /* of a managed identity's token */
    bool identity_cache;     /* back ends of managed identities return one token again and again */
    bool arc_is_old;         /* an agent that does not know user-assigned identities */
    bool purge_protection;   /* of keys that clients make from now on */
    bool tls_tickets;        /* sessions may be resumed */
    bool tls_1_2;            /* no newer version */
    int empty_pages;         /* so many before each page of a list */
    int clock_offset_s;      /* how far the service's clock is ahead of this machine's */
    char network_info[256];  /* of x-ms-keyvault-network-info; "": a public address */
    char challenge[1024];    /* verbatim WWW-Authenticate of vaults; "": the proper one */
};

struct settings settings_get(void);
int64_t clock_service(void); /* Unix seconds by the clock of the service */
void settings_set(const struct settings *settings);
bool settings_throttle_mode(const char *word, enum throttle_mode *mode);
/* Sets the members that are present. False: an unknown member or bad value; nothing has changed. */
bool settings_change(const cJSON *json, const char **problem);
cJSON *settings_to_json(void);

#endif
