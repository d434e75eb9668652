#include "faults.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encode.h"
#include "pause.h"

#define GONE_DEFAULT_MS 10000
#define SEED_MODULUS    2147483647

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cJSON *queue; /* array of specs; NULL: empty */
static int64_t gone_until_ms;

static const struct {
    const char *word;
    enum fault_action action;
} actions[] = {
    {"status", FAULT_STATUS},
    {"delay", FAULT_DELAY},
    {"hang", FAULT_HANG},
    {"cut", FAULT_CUT},
    {"cut_body", FAULT_CUT_BODY},
    {"garbage", FAULT_GARBAGE},
    {"wrong_kid", FAULT_WRONG_KID},
    {"oversized", FAULT_OVERSIZED},
    {"expired_token", FAULT_EXPIRED_TOKEN},
    {"no_challenge", FAULT_NO_CHALLENGE},
    {"body", FAULT_BODY},
    {"slow", FAULT_SLOW},
    {"edit", FAULT_EDIT},
    {"gone", FAULT_GONE},
    {"hang_body", FAULT_HANG_BODY},
    {"truncate", FAULT_TRUNCATE},
    {"nest", FAULT_NEST},
    {"splice", FAULT_SPLICE},
    {"long_token", FAULT_LONG_TOKEN},
    {"unresolved_key", FAULT_UNRESOLVED_KEY},
    {"html", FAULT_HTML},
};

static const char *const members[] = {
    "method",      "path",         "host",  "skip",    "times",   "action",           "status",
    "retry_after", "body",         "code",  "inner",   "message", "www_authenticate", "delay_ms",
    "body_bytes",  "path_in_body", "value", "percent", "seed",    "for_ms",           "location",
    "after",       "bytes",        "depth", "aadsts",  "error",   "suberror",         "claims",
    "part",
};

static const char *faults_text_of(const cJSON *spec, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(spec, name));
}

static int faults_number_of(const cJSON *spec, const char *name, int otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(spec, name);
    return cJSON_IsNumber(item) ? item->valueint : otherwise;
}

static enum fault_action action_of(const cJSON *spec)
{
    const char *word = faults_text_of(spec, "action");
    for (size_t i = 0; word != NULL && i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(word, actions[i].word) == 0) {
            return actions[i].action;
        }
    }
    return FAULT_NONE;
}

static bool is_member(const char *name)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (strcmp(name, members[i]) == 0) {
            return true;
        }
    }
    return false;
}

static double real_of(const cJSON *spec, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(spec, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static bool has_good_odds(const cJSON *spec)
{
    double percent = real_of(spec, "percent", 100), seed = real_of(spec, "seed", 1);
    return percent > 0 && percent <= 100 && seed >= 1 && seed < SEED_MODULUS;
}

/* Two hex digits a byte. */
static bool is_splice(const cJSON *spec)
{
    const char *bytes = faults_text_of(spec, "bytes");
    return faults_text_of(spec, "after") != NULL && bytes != NULL && strlen(bytes) % 2 == 0 &&
           strspn(bytes, "0123456789abcdef") == strlen(bytes);
}

const char *faults_add(const cJSON *spec)
{
    enum fault_action action = action_of(spec);
    int status = faults_number_of(spec, "status", 0);
    if (action == FAULT_NONE) {
        return "action is missing or unknown";
    }
    if (action == FAULT_STATUS && (status < 200 || status > 599)) {
        return "status must be 200 to 599";
    }
    if (action == FAULT_EDIT && faults_text_of(spec, "path_in_body") == NULL) {
        return "edit needs path_in_body";
    }
    if (action == FAULT_SPLICE && !is_splice(spec)) {
        return "splice needs after, and bytes in hex";
    }
    for (const cJSON *item = spec->child; item != NULL; item = item->next) {
        if (!is_member(item->string)) {
            return "unknown member in the fault";
        }
    }
    if (!has_good_odds(spec)) {
        return "percent must be above 0 and at most 100, seed 1 to 2147483646";
    }
    cJSON *copy = cJSON_Duplicate(spec, true);
    pthread_mutex_lock(&lock);
    if (queue == NULL) {
        queue = cJSON_CreateArray();
    }
    cJSON_AddItemToArray(queue, copy);
    pthread_mutex_unlock(&lock);
    return NULL;
}

cJSON *faults_to_json(void)
{
    pthread_mutex_lock(&lock);
    cJSON *json = queue != NULL ? cJSON_Duplicate(queue, true) : cJSON_CreateArray();
    pthread_mutex_unlock(&lock);
    return json;
}

void faults_clear(void)
{
    pthread_mutex_lock(&lock);
    cJSON_Delete(queue);
    queue = NULL;
    gone_until_ms = 0;
    pthread_mutex_unlock(&lock);
    pause_release();
}

static bool faults_matches(const cJSON *spec, const char *method, const char *uri, const char *host)
{
    const char *wanted = faults_text_of(spec, "method");
    const char *path = faults_text_of(spec, "path"), *at_host = faults_text_of(spec, "host");
    return (wanted == NULL || strcasecmp(wanted, method) == 0) &&
           (path == NULL || strcasestr(uri, path) != NULL) &&
           (at_host == NULL || strcasestr(host, at_host) != NULL);
}

/* Decrements a numeric member. False: it was zero or absent. */
static bool count_down(cJSON *spec, const char *name)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(spec, name);
    if (!cJSON_IsNumber(item) || item->valueint <= 0) {
        return false;
    }
    cJSON_SetNumberValue(item, item->valueint - 1);
    return true;
}

/* The next number of the fault's own sequence (minimal standard generator): whether it hits this
 * time. */
static bool faults_draws(cJSON *spec)
{
    cJSON *seed = cJSON_GetObjectItemCaseSensitive(spec, "seed");
    double percent = real_of(spec, "percent", 100);
    if (percent >= 100) {
        return true;
    }
    if (seed == NULL) {
        seed = cJSON_AddNumberToObject(spec, "seed", 1);
    }
    int64_t next = (int64_t)seed->valuedouble * 48271 % SEED_MODULUS;
    cJSON_SetNumberValue(seed, (double)next);
    return (double)(next % 10000) < percent * 100;
}

bool faults_is_gone(void)
{
    pthread_mutex_lock(&lock);
    bool gone = gone_until_ms > clock_ms();
    pthread_mutex_unlock(&lock);
    return gone;
}

struct fault_plan faults_take(const char *method, const char *uri, const char *host)
{
    struct fault_plan plan = {FAULT_NONE, NULL};
    pthread_mutex_lock(&lock);
    if (gone_until_ms > clock_ms()) {
        plan.action = FAULT_GONE;
        pthread_mutex_unlock(&lock);
        return plan;
    }
    for (cJSON *spec = queue != NULL ? queue->child : NULL; spec != NULL; spec = spec->next) {
        if (!faults_matches(spec, method, uri, host) || count_down(spec, "skip") ||
            !faults_draws(spec)) {
            continue;
        }
        plan.action = action_of(spec);
        plan.spec = cJSON_Duplicate(spec, true);
        if (plan.action == FAULT_GONE) {
            gone_until_ms = clock_ms() + faults_number_of(spec, "for_ms", GONE_DEFAULT_MS);
        }
        /* times: 0 = for ever, absent = once */
        bool is_for_ever = faults_number_of(spec, "times", 1) == 0;
        count_down(spec, "times");
        if (!is_for_ever && faults_number_of(spec, "times", 0) == 0) {
            cJSON_Delete(cJSON_DetachItemViaPointer(queue, spec));
        }
        break;
    }
    pthread_mutex_unlock(&lock);
    return plan;
}

void fault_plan_free(struct fault_plan *plan)
{
    cJSON_Delete(plan->spec);
    plan->spec = NULL;
    plan->action = FAULT_NONE;
}

int fault_number(const struct fault_plan *plan, const char *name, int otherwise)
{
    return faults_number_of(plan->spec, name, otherwise);
}

const char *fault_text(const struct fault_plan *plan, const char *name)
{
    return faults_text_of(plan->spec, name);
}
