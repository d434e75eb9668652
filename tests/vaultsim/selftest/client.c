#include "client.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

static const char *program;
static char folder[] = "/tmp/vaultsim-selftest-XXXXXX";
static pid_t pid;
static int port;

void sim_program(const char *path)
{
    program = path;
    assert_non_null(mkdtemp(folder));
}

int sim_port(void)
{
    return port;
}

void sim_start(void)
{
    int ends[2];
    char line[512];
    char state_option[] = "--state";
    char *name = strdup(program);
    char *arguments[] = {name, state_option, folder, NULL};
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&pid, program, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    free(name);
    FILE *out = fdopen(ends[0], "r");
    assert_non_null(fgets(line, sizeof line, out));
    fclose(out);
    assert_int_equal(sscanf(line, "vaultsim: ready: https 127.0.0.1:%d,", &port), 1);
}

void sim_stop(void)
{
    int status = 0;
    sim_do("POST", "/stop", NULL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

void sim_remove(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

static char *client_control(const char *method, const char *path, const char *json)
{
    char *command = NULL, *text = malloc(65536);
    assert_non_null(text);
    assert_true(asprintf(&command, "'%s' ctl --state '%s' %s '%s' '%s'", program, folder, method,
                         path, json != NULL ? json : "{}") > 0);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    text[fread(text, 1, 65535, out)] = '\0';
    if (pclose(out) != 0) {
        fail_msg("%s: %s", command, text);
    }
    free(command);
    return text;
}

cJSON *sim_ctl(const char *method, const char *path, const char *json)
{
    char *text = client_control(method, path, json);
    cJSON *result = cJSON_Parse(text);
    free(text);
    return result;
}

char *sim_read(const char *path)
{
    return client_control("GET", path, NULL);
}

void sim_do(const char *method, const char *path, const char *json)
{
    cJSON_Delete(sim_ctl(method, path, json));
}

long sim_count(const char *name)
{
    cJSON *json = sim_ctl("GET", "/counters", NULL);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    if (item == NULL) {
        item = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "by"), name);
    }
    long count = item != NULL ? item->valueint : 0;
    cJSON_Delete(json);
    return count;
}

const char *sim_folder(void)
{
    return folder;
}

void sim_env(const char *file, const char *name, char *out, size_t cap)
{
    char path[128], line[512];
    size_t name_len = strlen(name);
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    out[0] = '\0';
    while (fgets(line, sizeof line, in) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, name, name_len) == 0 && line[name_len] == '=') {
            snprintf(out, cap, "%s", line + name_len + 1);
        }
    }
    fclose(in);
}

void client_open(struct client *client)
{
    memset(client, 0, sizeof *client);
    client->curl = curl_easy_init();
    assert_non_null(client->curl);
}

static void client_forget(struct client *client)
{
    free(client->body);
    cJSON_Delete(client->json);
    client->body = NULL;
    client->json = NULL;
    client->body_len = 0;
    client->status = 0;
    client->challenge[0] = client->retry_after[0] = '\0';
    client->fields[0] = '\0';
    client->request_id[0] = client->correlation[0] = '\0';
}

void client_close(struct client *client)
{
    client_forget(client);
    curl_easy_cleanup(client->curl);
    client->curl = NULL;
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    struct client *client = user;
    size_t len = size * count;
    char *longer = realloc(client->body, client->body_len + len + 1);
    if (longer == NULL) {
        return 0;
    }
    memcpy(longer + client->body_len, data, len);
    client->body = longer;
    client->body_len += len;
    longer[client->body_len] = '\0';
    return len;
}

static size_t take_header(char *data, size_t size, size_t count, void *user)
{
    struct client *client = user;
    const struct {
        const char *name;
        char *value;
        size_t cap;
    } wanted[] = {
        {"WWW-Authenticate: ", client->challenge, sizeof client->challenge},
        {"Retry-After: ", client->retry_after, sizeof client->retry_after},
        {"x-ms-request-id: ", client->request_id, sizeof client->request_id},
        {"x-ms-client-request-id: ", client->correlation, sizeof client->correlation},
    };
    size_t len = size * count, used = strlen(client->fields);
    if (used + len < sizeof client->fields) {
        memcpy(client->fields + used, data, len);
        client->fields[used + len] = '\0';
    }
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        size_t name_len = strlen(wanted[i].name);
        if (len > name_len + 2 && strncasecmp(data, wanted[i].name, name_len) == 0) {
            snprintf(wanted[i].value, wanted[i].cap, "%.*s", (int)(len - name_len - 2),
                     data + name_len);
        }
    }
    return len;
}

static struct curl_slist *headers_of(const struct client *client, const char *body,
                                     const char *content_type)
{
    char line[2100];
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    list = curl_slist_append(list, "x-ms-client-request-id: self-test");
    snprintf(line, sizeof line, "Content-Type: %s",
             content_type != NULL ? content_type : "application/json");
    list = curl_slist_append(list, body != NULL ? line : "Content-Type:");
    if (client->token[0] != '\0') {
        snprintf(line, sizeof line, "Authorization: Bearer %s", client->token);
        list = curl_slist_append(list, line);
    }
    return list;
}

static long client_perform(struct client *client)
{
    CURL *curl = client->curl;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                     client->timeout_ms > 0 ? client->timeout_ms : 20000L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, client);
    client->rc = curl_easy_perform(curl);
    if (client->rc == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &client->status);
    }
    client->json = client->body != NULL ? cJSON_Parse(client->body) : NULL;
    return client->status;
}

long client_send(struct client *client, const char *method, const char *host, const char *path,
                 const char *body, const char *content_type)
{
    char url[1024], ca[64], connect[64];
    CURL *curl = client->curl;
    client_forget(client);
    curl_easy_reset(curl);
    snprintf(url, sizeof url, "https://%s%s", host, path);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    snprintf(connect, sizeof connect, "::127.0.0.1:%d", port);
    struct curl_slist *to = curl_slist_append(NULL, connect);
    struct curl_slist *headers = headers_of(client, body, content_type);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
    curl_easy_setopt(curl, CURLOPT_CONNECT_TO, to);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    client_perform(client);
    curl_slist_free_all(to);
    curl_slist_free_all(headers);
    return client->status;
}

long client_fetch(struct client *client, const char *url, const char *const headers[3],
                  const char *proxy)
{
    struct curl_slist *list = NULL;
    CURL *curl = client->curl;
    client_forget(client);
    curl_easy_reset(curl);
    for (int i = 0; i < 3 && headers[i] != NULL; i++) {
        list = curl_slist_append(list, headers[i]);
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, proxy != NULL ? proxy : "");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    client_perform(client);
    curl_slist_free_all(list);
    return client->status;
}

long client_get(struct client *client, const char *host, const char *path)
{
    return client_send(client, "GET", host, path, NULL, NULL);
}

long client_post(struct client *client, const char *host, const char *path, const char *body)
{
    return client_send(client, "POST", host, path, body, NULL);
}

long client_sign_in(struct client *client, const char *resource)
{
    char form[512];
    client->token[0] = '\0';
    snprintf(form, sizeof form,
             "grant_type=client_credentials&client_id=" CLIENT
             "&client_secret=Sim%%7ESecret-0.with_hyphens-1&scope=https%%3A%%2F%%2F%s%%2F.default",
             resource);
    client_send(client, "POST", LOGIN, "/" TENANT "/oauth2/v2.0/token", form,
                "application/x-www-form-urlencoded");
    snprintf(client->token, sizeof client->token, "%s", client_text(client, "access_token"));
    return client->status;
}

const char *client_text(const struct client *client, const char *path)
{
    char part[64];
    const cJSON *item = client->json;
    while (item != NULL && path[0] != '\0') {
        size_t len = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)len, path);
        item = cJSON_GetObjectItemCaseSensitive(item, part);
        path += len + (path[len] == '.' ? 1 : 0);
    }
    return cJSON_IsString(item) ? item->valuestring : "";
}
