#include "faults.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encode.h"
#include "pause.h"

#define OVERSIZED_DEFAULT (8 << 20)
#define GONE_DEFAULT_MS   10000
#define SEED_MODULUS      2147483647

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
};

static const char *const members[] = {
    "method",      "path",         "host",  "skip",    "times",   "action",           "status",
    "retry_after", "body",         "code",  "inner",   "message", "www_authenticate", "delay_ms",
    "body_bytes",  "path_in_body", "value", "percent", "seed",    "for_ms",           "location",
    "after",       "bytes",        "depth",
};

static const char *text_of(const cJSON *spec, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(spec, name));
}

static int number_of(const cJSON *spec, const char *name, int otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(spec, name);
    return cJSON_IsNumber(item) ? item->valueint : otherwise;
}

static enum fault_action action_of(const cJSON *spec)
{
    const char *word = text_of(spec, "action");
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
    const char *bytes = text_of(spec, "bytes");
    return text_of(spec, "after") != NULL && bytes != NULL && strlen(bytes) % 2 == 0 &&
           strspn(bytes, "0123456789abcdef") == strlen(bytes);
}

const char *faults_add(const cJSON *spec)
{
    enum fault_action action = action_of(spec);
    int status = number_of(spec, "status", 0);
    if (action == FAULT_NONE) {
        return "action is missing or unknown";
    }
    if (action == FAULT_STATUS && (status < 200 || status > 599)) {
        return "status must be 200 to 599";
    }
    if (action == FAULT_EDIT && text_of(spec, "path_in_body") == NULL) {
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

static bool matches(const cJSON *spec, const char *method, const char *uri, const char *host)
{
    const char *wanted = text_of(spec, "method");
    const char *path = text_of(spec, "path"), *at_host = text_of(spec, "host");
    return (wanted == NULL || strcasecmp(wanted, method) == 0) &&
           (path == NULL || strcasestr(uri, path) != NULL) &&
           (at_host == NULL || strcasestr(host, at_host) != NULL);
}

/* Counts a number member down; false: it stood at zero or was not there. */
static bool count_down(cJSON *spec, const char *name)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(spec, name);
    if (!cJSON_IsNumber(item) || item->valueint <= 0) {
        return false;
    }
    cJSON_SetNumberValue(item, item->valueint - 1);
    return true;
}

/* The next number of the fault's own row (minimal standard generator): whether it hits this time.
 */
static bool draws(cJSON *spec)
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
        if (!matches(spec, method, uri, host) || count_down(spec, "skip") || !draws(spec)) {
            continue;
        }
        plan.action = action_of(spec);
        plan.spec = cJSON_Duplicate(spec, true);
        if (plan.action == FAULT_GONE) {
            gone_until_ms = clock_ms() + number_of(spec, "for_ms", GONE_DEFAULT_MS);
        }
        /* times: 0 = for ever, absent = once */
        bool is_for_ever = number_of(spec, "times", 1) == 0;
        count_down(spec, "times");
        if (!is_for_ever && number_of(spec, "times", 0) == 0) {
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
    return number_of(plan->spec, name, otherwise);
}

static const char *usual_code(int status)
{
    return status == 400   ? "BadParameter"
           : status == 401 ? "Unauthorized"
           : status == 403 ? "Forbidden"
           : status == 404 ? "KeyNotFound"
           : status == 409 ? "Conflict"
           : status == 429 ? "Throttled"
           : status >= 500 ? "InternalServerError"
                           : "Unexpected";
}

static void replace_by_status(const struct fault_plan *plan, struct answer *answer)
{
    int status = fault_number(plan, "status", 500);
    const char *body = text_of(plan->spec, "body"), *code = text_of(plan->spec, "code");
    const char *message = text_of(plan->spec, "message");
    const char *retry_after = text_of(plan->spec, "retry_after");
    const char *challenge = text_of(plan->spec, "www_authenticate");
    const char *location = text_of(plan->spec, "location");
    if (body != NULL) {
        answer_text(answer, (unsigned)status, "application/json; charset=utf-8", body);
    } else {
        answer_error(answer, (unsigned)status, code != NULL ? code : usual_code(status),
                     text_of(plan->spec, "inner"), "%s",
                     message != NULL ? message : "This answer was asked for by a fault.");
    }
    if (retry_after != NULL) {
        answer_field(answer, "Retry-After", "%s", retry_after);
    } else if (fault_number(plan, "retry_after", -1) >= 0) {
        answer_field(answer, "Retry-After", "%d", fault_number(plan, "retry_after", 0));
    }
    if (challenge != NULL) {
        answer_field(answer, "WWW-Authenticate", "%s", challenge);
    }
    if (location != NULL) {
        answer_field(answer, "Location", "%s", location);
    }
}

static void replace_by_size(const struct fault_plan *plan, struct answer *answer)
{
    int asked = fault_number(plan, "body_bytes", OVERSIZED_DEFAULT);
    size_t len = asked > 0 ? (size_t)asked : OVERSIZED_DEFAULT;
    free(answer->body);
    answer->body = must(malloc(len));
    memset(answer->body, ' ', len);
    answer->body_len = len;
    answer->status = 200;
    answer->content_type = "application/json; charset=utf-8";
}

bool fault_replace(const struct fault_plan *plan, struct answer *answer)
{
    const char *body = text_of(plan->spec, "body");
    switch (plan->action) {
    case FAULT_STATUS:
        replace_by_status(plan, answer);
        return true;
    case FAULT_GARBAGE:
        answer_text(answer, 200, "text/html", "<html><body>Welcome to the network</body></html>");
        return true;
    case FAULT_OVERSIZED:
        replace_by_size(plan, answer);
        return true;
    case FAULT_NO_CHALLENGE:
        answer_error(answer, 401, "Unauthorized", NULL,
                     "AKV10000: Request is missing a Bearer or PoP token.");
        return true;
    case FAULT_BODY:
        answer_text(answer, 200, "application/json; charset=utf-8", body != NULL ? body : "");
        return true;
    default:
        return false;
    }
}

/* Another version of another key at the same host. */
static void alter_kid(cJSON *object)
{
    const char *kid = text_of(object, "kid");
    const char *end = kid != NULL ? strstr(kid, "/keys/") : NULL;
    if (end == NULL) {
        return;
    }
    char *other = format_text("%.*s/keys/another-key/00000000000000000000000000000bad",
                              (int)(end - kid), kid);
    cJSON_ReplaceItemInObjectCaseSensitive(object, "kid", cJSON_CreateString(other));
    free(other);
}

static void set_member(cJSON *object, const char *name, const cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    if (value != NULL && !cJSON_IsNull(value)) {
        cJSON_AddItemToObject(object, name, cJSON_Duplicate(value, true));
    }
}

static void alter_member(cJSON *json, const char *path, const cJSON *value)
{
    char part[64];
    for (cJSON *object = json; object != NULL;) {
        size_t len = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)len, path);
        if (path[len] == '\0') {
            set_member(object, part, value);
            return;
        }
        path += len + 1;
        object = cJSON_IsArray(object) ? cJSON_GetArrayItem(object, atoi(part))
                                       : cJSON_GetObjectItemCaseSensitive(object, part);
    }
}

/* Puts `len` bytes into the body at `at`. */
static void insert(struct answer *answer, size_t at, const char *bytes, size_t len)
{
    char *body = must(malloc(answer->body_len + len + 1));
    memcpy(body, answer->body, at);
    memcpy(body + at, bytes, len);
    memcpy(body + at + len, answer->body + at, answer->body_len - at);
    body[answer->body_len + len] = '\0';
    free(answer->body);
    answer->body = body;
    answer->body_len += len;
}

static void splice(const struct fault_plan *plan, struct answer *answer)
{
    const char *after = text_of(plan->spec, "after"), *hex = text_of(plan->spec, "bytes");
    const char *found = strstr(answer->body, after);
    size_t len = strlen(hex) / 2;
    char *bytes = must(malloc(len + 1));
    for (size_t i = 0; i < len; i++) {
        sscanf(hex + 2 * i, "%2hhx", (unsigned char *)&bytes[i]);
    }
    if (found != NULL) {
        insert(answer, (size_t)(found - answer->body) + strlen(after), bytes, len);
    }
    free(bytes);
}

/* One more member, in front: an array in an array in an array ... */
static void nest(const struct fault_plan *plan, struct answer *answer)
{
    static const char name[] = "\"nested\":";
    int asked = fault_number(plan, "depth", 100000);
    size_t depth = asked > 0 && asked <= OVERSIZED_DEFAULT ? (size_t)asked : 1;
    size_t name_len = sizeof name - 1, len = name_len + 2 * depth + 1;
    char *text = must(malloc(len));
    memcpy(text, name, name_len);
    memset(text + name_len, '[', depth);
    memset(text + name_len + depth, ']', depth);
    text[len - 1] = ',';
    if (answer->body[0] == '{') {
        insert(answer, 1, text, len);
    }
    free(text);
}

static void lengthen_token(const struct fault_plan *plan, cJSON *json)
{
    int asked = fault_number(plan, "body_bytes", OVERSIZED_DEFAULT);
    size_t len = asked > 0 ? (size_t)asked : OVERSIZED_DEFAULT;
    char *text = must(malloc(len + 1));
    memset(text, 'A', len);
    text[len] = '\0';
    cJSON_DeleteItemFromObjectCaseSensitive(json, "access_token");
    cJSON_AddStringToObject(json, "access_token", text);
    free(text);
}

static void alter_json(const struct fault_plan *plan, struct answer *answer)
{
    cJSON *json = cJSON_Parse(answer->body);
    if (json == NULL) {
        return;
    }
    if (plan->action == FAULT_WRONG_KID) {
        alter_kid(json);
        alter_kid(cJSON_GetObjectItemCaseSensitive(json, "key"));
    } else if (plan->action == FAULT_LONG_TOKEN) {
        lengthen_token(plan, json);
    } else {
        alter_member(json, text_of(plan->spec, "path_in_body"),
                     cJSON_GetObjectItemCaseSensitive(plan->spec, "value"));
    }
    answer_json(answer, answer->status, json);
}

void fault_alter(const struct fault_plan *plan, struct answer *answer)
{
    if (answer->body == NULL) {
        return;
    }
    switch (plan->action) {
    case FAULT_WRONG_KID:
    case FAULT_EDIT:
    case FAULT_LONG_TOKEN:
        alter_json(plan, answer);
        return;
    case FAULT_TRUNCATE:
        answer->body_len /= 2;
        return;
    case FAULT_NEST:
        nest(plan, answer);
        return;
    case FAULT_SPLICE:
        splice(plan, answer);
        return;
    default:
        return;
    }
}
