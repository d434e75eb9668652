#include "counters.h"

#include <pthread.h>
#include <string.h>

static const char *const names[COUNTER_COUNT] = {
    "requests",       "connections", "handshakes", "tokens_issued",
    "token_requests", "challenges",  "throttled",  "leaked_secrets",
    "memoised",       "resumptions", "copies",     "copies_throttled",
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counts[COUNTER_COUNT];
static cJSON *by, *by_host; /* objects of numbers; NULL: empty */

static void add_to(cJSON **object, const char *name)
{
    if (*object == NULL) {
        *object = cJSON_CreateObject();
    }
    cJSON *item = cJSON_GetObjectItemCaseSensitive(*object, name);
    if (item == NULL) {
        cJSON_AddNumberToObject(*object, name, 1);
    } else {
        cJSON_SetNumberValue(item, item->valuedouble + 1);
    }
}

void counters_add(enum counter counter)
{
    pthread_mutex_lock(&lock);
    counts[counter]++;
    pthread_mutex_unlock(&lock);
}

void counters_request(const char *operation, const char *host)
{
    pthread_mutex_lock(&lock);
    counts[COUNT_REQUESTS]++;
    if (strcmp(operation, "token") == 0) {
        counts[COUNT_TOKEN_REQUESTS]++;
    }
    add_to(&by, operation);
    add_to(&by_host, host);
    pthread_mutex_unlock(&lock);
}

cJSON *counters_to_json(void)
{
    cJSON *json = cJSON_CreateObject();
    pthread_mutex_lock(&lock);
    for (int i = 0; i < COUNTER_COUNT; i++) {
        cJSON_AddNumberToObject(json, names[i], (double)counts[i]);
    }
    cJSON_AddItemToObject(json, "by", by != NULL ? cJSON_Duplicate(by, 1) : cJSON_CreateObject());
    cJSON_AddItemToObject(json, "by_host",
                          by_host != NULL ? cJSON_Duplicate(by_host, 1) : cJSON_CreateObject());
    pthread_mutex_unlock(&lock);
    return json;
}

void counters_reset(void)
{
    pthread_mutex_lock(&lock);
    memset(counts, 0, sizeof counts);
    cJSON_Delete(by);
    cJSON_Delete(by_host);
    by = by_host = NULL;
    pthread_mutex_unlock(&lock);
}
