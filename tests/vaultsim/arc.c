#include "arc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "encode.h"
#include "imds.h"
#include "leaks.h"
#include "machine_token.h"
#include "settings.h"
#include "state.h"

#define KEYS_MAX    64
#define KEY_LIFE_MS 300000

/* A challenge that no request has answered yet. */
struct arc_key {
    char *path, text[65];
    int64_t end_ms;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct arc_key keys[KEYS_MAX];
static size_t key_next;
static const char *key_folder, *key_realm;

void arc_open(const char *folder, const char *realm)
{
    key_folder = folder;
    key_realm = realm != NULL ? realm : folder;
    mkdir(folder, 0700);
}

static void drop_key(struct arc_key *key)
{
    if (key->path != NULL) {
        unlink(key->path);
    }
    free(key->path);
    memset(key, 0, sizeof *key);
}

void arc_close(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < KEYS_MAX; i++) {
        drop_key(&keys[i]);
    }
    pthread_mutex_unlock(&lock);
}

void arc_refuse(struct answer *answer, unsigned status, const char *code, const char *text)
{
    cJSON *json = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(json, "error");
    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", text);
    answer_json(answer, status, json);
}

/* On Windows the separator of folders is another. */
static char *arc_join(const char *folder, const char *name)
{
    return format_text("%s%s%s.key", folder, strchr(folder, '\\') != NULL ? "\\" : "/", name);
}

static void arc_challenge(struct answer *answer)
{
    char name[37], text[65];
    guid_random(name);
    hex_random(text, 32);
    char *realm = arc_join(key_realm, name), *path = format_text("%s/%s.key", key_folder, name);
    bool is_written = state_write_path(path, text);
    leaks_watch(LEAK_ARC_KEY, text);
    pthread_mutex_lock(&lock);
    struct arc_key *key = &keys[key_next++ % KEYS_MAX];
    drop_key(key);
    key->path = path;
    key->end_ms = clock_ms() + KEY_LIFE_MS;
    memcpy(key->text, text, sizeof text);
    pthread_mutex_unlock(&lock);
    if (is_written) {
        answer_field(answer, "WWW-Authenticate", "Basic realm=%s", realm);
        answer_text(answer, 401, NULL, "");
    } else {
        arc_refuse(answer, 500, "InternalServerError", "The key file cannot be written");
    }
    free(realm);
}

/* Each key file is valid for one request. */
static bool take_key(const char *text)
{
    bool is_found = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < KEYS_MAX && !is_found; i++) {
        is_found =
            keys[i].path != NULL && strcmp(keys[i].text, text) == 0 && keys[i].end_ms > clock_ms();
        if (is_found) {
            drop_key(&keys[i]);
        }
    }
    pthread_mutex_unlock(&lock);
    return is_found;
}

static bool arc_check_key(const struct request *request, struct answer *answer)
{
    const char *value = request_header(request, "Authorization");
    if (value == NULL) {
        arc_challenge(answer);
        return false;
    }
    if (strncasecmp(value, "Basic ", 6) != 0 || !take_key(value + 6)) {
        arc_refuse(answer, 401, "Unauthorized", "The key in the request is not valid");
        return false;
    }
    return true;
}

static void arc_give_token(const struct request *request, struct answer *answer)
{
    bool is_old = settings_get().arc_is_old;
    struct identity_selector selector = {NULL, NULL, NULL};
    struct identity identity;
    cJSON *json = NULL;
    if (!is_old) {
        selector.client_id = request_query(request, "client_id");
        selector.object_id = request_query(request, "object_id");
        selector.resource_id = request_query(request, "msi_res_id");
    }
    enum machine_error error = machine_token(request, &selector, &identity, &json);
    if (error != MACHINE_OK) {
        imds_refuse(answer, 400,
                    error == MACHINE_UNKNOWN_RESOURCE ? "invalid_resource" : "invalid_request",
                    machine_error_text(error));
        return;
    }
    if (selector.client_id != NULL) {
        cJSON_AddStringToObject(json, "client_id", identity.client_id);
    } else if (selector.object_id != NULL) {
        cJSON_AddStringToObject(json, "object_id", identity.object_id);
    } else if (selector.resource_id != NULL) {
        cJSON_AddStringToObject(json, "msi_res_id", identity.resource_id);
    }
    answer_json(answer, 200, json);
}

static bool is_known_version(const char *version)
{
    static const char *const known[] = {"2019-08-15", "2019-11-01", "2020-06-01", "2021-02-01"};
    for (size_t i = 0; version != NULL && i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(version, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

void arc_serve(const struct request *request, struct answer *answer)
{
    const char *metadata = request_header(request, "Metadata");
    if (!request_is_at(request, MACHINE_TOKEN_PATH)) {
        arc_refuse(answer, 404, "NotFound", "The requested resource was not found");
    } else if (strcmp(request->method, "GET") != 0) {
        arc_refuse(answer, 405, "MethodNotAllowed", "Only GET is supported");
    } else if (metadata == NULL || strcmp(metadata, "true") != 0) {
        imds_refuse(answer, 400, "invalid_request", "Required metadata header not specified");
    } else if (!is_known_version(request_query(request, "api-version"))) {
        imds_refuse(answer, 400, "invalid_request",
                    "The api-version is invalid or was not specified");
    } else if (arc_check_key(request, answer)) {
        arc_give_token(request, answer);
    }
}
