#include "state.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients.h"
#include "encode.h"
#include "identities.h"
#include "keylife.h"
#include "keystore_save.h"

#define STATE_FILE "state.json"

static char *folder;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the order of saves; ports */
static struct state_ports current_ports;

static const char *const identity_ports[SITE_COUNT] = {NULL, "imds_port", "arc_port",
                                                       "app_service_port"};

static char *path_of(const char *name)
{
    return format_text("%s/%s", folder, name);
}

const char *state_open(const char *asked)
{
    if (mkdir(asked, 0700) != 0 && errno != EEXIST) {
        return strerror(errno);
    }
    folder = realpath(asked, NULL);
    if (folder == NULL || chmod(folder, 0700) != 0) {
        return strerror(errno);
    }
    char *path = path_of("lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    free(path);
    if (fd < 0) {
        return strerror(errno);
    }
    /* The lock, held by the open descriptor until the process ends. */
    return flock(fd, LOCK_EX | LOCK_NB) == 0 ? NULL : "another vaultsim runs on this folder";
}

const char *state_folder(void)
{
    return folder;
}

char *state_read_file(const char *name)
{
    char *path = path_of(name), *text = NULL;
    struct stat facts;
    FILE *in = fopen(path, "re");
    free(path);
    if (in == NULL) {
        return NULL;
    }
    if (fstat(fileno(in), &facts) == 0) {
        size_t size = (size_t)facts.st_size;
        text = must(malloc(size + 1));
        text[fread(text, 1, size, in)] = '\0';
    }
    fclose(in);
    return text;
}

bool state_write_path(const char *path, const char *text)
{
    char *aside = format_text("%s.new", path);
    size_t len = strlen(text);
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_done = fd >= 0;
    for (size_t at = 0; is_done && at < len;) {
        ssize_t wrote = write(fd, text + at, len - at);
        is_done = wrote > 0;
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    if (fd >= 0) {
        is_done = close(fd) == 0 && is_done;
    }
    is_done = is_done && rename(aside, path) == 0;
    free(aside);
    return is_done;
}

bool state_write_file(const char *name, const char *text)
{
    char *path = path_of(name);
    bool is_done = state_write_path(path, text);
    free(path);
    return is_done;
}

void state_remove_file(const char *name)
{
    char *path = path_of(name);
    unlink(path);
    free(path);
}

static int port_of(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNumber(item) ? item->valueint : 0;
}

bool state_load(struct state_ports *ports, const char **problem)
{
    char *text = state_read_file(STATE_FILE);
    cJSON *json = text != NULL ? cJSON_Parse(text) : NULL;
    *problem = text != NULL && json == NULL ? STATE_FILE " is damaged" : NULL;
    ports->https = port_of(json, "port");
    ports->control = port_of(json, "control_port");
    for (int i = SITE_IMDS; i < SITE_COUNT; i++) {
        ports->identity[i] = port_of(json, identity_ports[i]);
    }
    clients_from_json(cJSON_GetObjectItemCaseSensitive(json, "entra"));
    identities_from_json(cJSON_GetObjectItemCaseSensitive(json, "identities"));
    keylife_from_json(cJSON_GetObjectItemCaseSensitive(json, "rotation_policies"));
    keystore_from_json(cJSON_GetObjectItemCaseSensitive(json, "store"));
    cJSON_Delete(json);
    free(text);
    return text != NULL;
}

void state_set_ports(const struct state_ports *ports)
{
    pthread_mutex_lock(&lock);
    current_ports = *ports;
    pthread_mutex_unlock(&lock);
}

struct state_ports state_ports(void)
{
    pthread_mutex_lock(&lock);
    struct state_ports ports = current_ports;
    pthread_mutex_unlock(&lock);
    return ports;
}

void state_save(void)
{
    pthread_mutex_lock(&lock);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "port", current_ports.https);
    cJSON_AddNumberToObject(json, "control_port", current_ports.control);
    for (int i = SITE_IMDS; i < SITE_COUNT; i++) {
        cJSON_AddNumberToObject(json, identity_ports[i], current_ports.identity[i]);
    }
    cJSON_AddItemToObject(json, "entra", clients_to_json(true));
    cJSON_AddItemToObject(json, "identities", identities_to_json());
    cJSON_AddItemToObject(json, "rotation_policies", keylife_to_json());
    cJSON_AddItemToObject(json, "store", keystore_to_json());
    char *text = must(cJSON_Print(json));
    cJSON_Delete(json);
    if (!state_write_file(STATE_FILE, text)) {
        fprintf(stderr, "vaultsim: cannot save %s/%s: %s\n", folder, STATE_FILE, strerror(errno));
    }
    free(text);
    pthread_mutex_unlock(&lock);
}
