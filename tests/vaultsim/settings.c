#include "settings.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "encode.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct settings current = {.token_lifetime_s = 3599,
                                  .throttle_percent = 100,
                                  .identity_lifetime_s = 86399,
                                  .identity_cache = true,
                                  .tls_tickets = true};

static const char *const throttle_words[] = {"none", "standard", "hsm"};

struct settings settings_get(void)
{
    pthread_mutex_lock(&lock);
    struct settings copy = current;
    pthread_mutex_unlock(&lock);
    return copy;
}

int64_t clock_service(void)
{
    return clock_unix() + settings_get().clock_offset_s;
}

void settings_set(const struct settings *settings)
{
    pthread_mutex_lock(&lock);
    current = *settings;
    pthread_mutex_unlock(&lock);
}

bool settings_throttle_mode(const char *word, enum throttle_mode *mode)
{
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, throttle_words[i]) == 0) {
            *mode = (enum throttle_mode)i;
            return true;
        }
    }
    return false;
}

static const struct {
    const char *name;
    size_t offset;
} flags[] = {
    {"throttle_retry_after", offsetof(struct settings, throttle_retry_after)},
    {"implicit_rejection", offsetof(struct settings, implicit_rejection)},
    {"memoise", offsetof(struct settings, memoise)},
    {"disabled_get_403", offsetof(struct settings, disabled_get_403)},
    {"identity_cache", offsetof(struct settings, identity_cache)},
    {"purge_protection", offsetof(struct settings, purge_protection)},
    {"arc_is_old", offsetof(struct settings, arc_is_old)},
    {"tls_tickets", offsetof(struct settings, tls_tickets)},
    {"tls_1_2", offsetof(struct settings, tls_1_2)},
};
#define FLAG_COUNT (sizeof flags / sizeof flags[0])

static bool settings_take_number(const cJSON *item, int max, int *value)
{
    if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > max) {
        return false;
    }
    *value = (int)item->valuedouble;
    return true;
}

static bool take_flag(const cJSON *item, bool *value)
{
    *value = cJSON_IsTrue(item);
    return cJSON_IsBool(item);
}

/* null: the proper one */
static bool settings_take_text(const cJSON *item, char *out, size_t cap)
{
    out[0] = '\0';
    if (cJSON_IsString(item) && strlen(item->valuestring) < cap) {
        snprintf(out, cap, "%s", item->valuestring);
        return true;
    }
    return cJSON_IsNull(item);
}

static bool *find_flag(const char *name, struct settings *settings)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (strcmp(name, flags[i].name) == 0) {
            return (bool *)((char *)settings + flags[i].offset);
        }
    }
    return NULL;
}

static bool settings_take(const cJSON *item, struct settings *settings)
{
    const char *name = item->string;
    if (strcmp(name, "latency_ms") == 0) {
        return settings_take_number(item, 600000, &settings->latency_ms);
    }
    if (strcmp(name, "token_lifetime_s") == 0) {
        return settings_take_number(item, 86399, &settings->token_lifetime_s);
    }
    if (strcmp(name, "throttle") == 0) {
        return cJSON_IsString(item) &&
               settings_throttle_mode(item->valuestring, &settings->throttle);
    }
    if (strcmp(name, "throttle_percent") == 0) {
        return settings_take_number(item, 100, &settings->throttle_percent) &&
               settings->throttle_percent > 0;
    }
    if (strcmp(name, "identity_lifetime_s") == 0) {
        return settings_take_number(item, 172800, &settings->identity_lifetime_s);
    }
    if (strcmp(name, "empty_pages") == 0) {
        return settings_take_number(item, 20, &settings->empty_pages);
    }
    if (strcmp(name, "clock_offset_s") == 0) {
        settings->clock_offset_s = cJSON_IsNumber(item) ? item->valueint : 0;
        return cJSON_IsNumber(item);
    }
    bool *flag = find_flag(name, settings);
    if (flag != NULL) {
        return take_flag(item, flag);
    }
    if (strcmp(name, "network_info") == 0) {
        return settings_take_text(item, settings->network_info, sizeof settings->network_info);
    }
    return strcmp(name, "challenge") == 0 &&
           settings_take_text(item, settings->challenge, sizeof settings->challenge);
}

bool settings_change(const cJSON *json, const char **problem)
{
    pthread_mutex_lock(&lock);
    struct settings changed = current;
    bool is_good = true;
    for (const cJSON *item = json->child; item != NULL && is_good; item = item->next) {
        is_good = settings_take(item, &changed);
        *problem = item->string;
    }
    if (is_good) {
        current = changed;
    }
    pthread_mutex_unlock(&lock);
    return is_good;
}

static void add_text(cJSON *json, const char *name, const char *text)
{
    if (text[0] != '\0') {
        cJSON_AddStringToObject(json, name, text);
    } else {
        cJSON_AddNullToObject(json, name);
    }
}

cJSON *settings_to_json(void)
{
    struct settings now = settings_get();
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "latency_ms", now.latency_ms);
    cJSON_AddNumberToObject(json, "token_lifetime_s", now.token_lifetime_s);
    cJSON_AddStringToObject(json, "throttle", throttle_words[now.throttle]);
    cJSON_AddNumberToObject(json, "throttle_percent", now.throttle_percent);
    cJSON_AddNumberToObject(json, "identity_lifetime_s", now.identity_lifetime_s);
    cJSON_AddNumberToObject(json, "empty_pages", now.empty_pages);
    cJSON_AddNumberToObject(json, "clock_offset_s", now.clock_offset_s);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        cJSON_AddBoolToObject(json, flags[i].name, *find_flag(flags[i].name, &now));
    }
    add_text(json, "network_info", now.network_info);
    add_text(json, "challenge", now.challenge);
    return json;
}
