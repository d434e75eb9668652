/*
 * What can be switched while vaultsim runs: latency, throttling, challenge, token lifetime.
 *
 * Owns one record under a lock; settings_get gives a copy, so any thread may call. Not kept across
 * restarts.
 */
#ifndef VAULTSIM_SETTINGS_H
#define VAULTSIM_SETTINGS_H

#include <cjson/cJSON.h>
#include <stdbool.h>

enum throttle_mode { THROTTLE_NONE, THROTTLE_STANDARD, THROTTLE_HSM };

struct settings {
    int latency_ms;
    int token_lifetime_s;
    enum throttle_mode throttle;
    int throttle_percent; /* of the limits that is left to the clients here */
    bool throttle_retry_after;
    bool implicit_rejection;
    bool memoise;
    bool disabled_get_403;
    char challenge[1024]; /* verbatim WWW-Authenticate of vaults; "": the proper one */
};

struct settings settings_get(void);
void settings_set(const struct settings *settings);
bool settings_throttle_mode(const char *word, enum throttle_mode *mode);
/* Takes the members present; false, with nothing changed, on an unknown member or bad value. */
bool settings_change(const cJSON *json, const char **problem);
cJSON *settings_to_json(void);

#endif
