#include "leaks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth.h"
#include "clients.h"
#include "cloud.h"
#include "encode.h"
#include "tokens.h"

#define WATCHED_MAX 4096
#define NO_KIND     ((enum leak_kind)99)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    enum leak_kind kind;
    char *text;
} watched[WATCHED_MAX]; /* a ring: the oldest is forgotten */
static size_t watched_count;

static bool is_watched(enum leak_kind kind, const char *text)
{
    for (size_t i = 0; i < WATCHED_MAX && watched[i].text != NULL; i++) {
        if (watched[i].kind == kind && strcmp(watched[i].text, text) == 0) {
            return true;
        }
    }
    return false;
}

void leaks_watch(enum leak_kind kind, const char *text)
{
    pthread_mutex_lock(&lock);
    if (text[0] != '\0' && !is_watched(kind, text)) {
        size_t at = watched_count++ % WATCHED_MAX;
        free(watched[at].text);
        watched[at].kind = kind;
        watched[at].text = must(strdup(text));
    }
    pthread_mutex_unlock(&lock);
}

/* Any watched text, except those that may be here. */
static bool watched_in(const char *text, enum leak_kind at_home)
{
    bool is_there = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < WATCHED_MAX && watched[i].text != NULL && !is_there; i++) {
        is_there = watched[i].kind != at_home && strstr(text, watched[i].text) != NULL;
    }
    pthread_mutex_unlock(&lock);
    return is_there;
}

/* The kind that this header of this site may carry. */
static enum leak_kind header_home(const struct request *request, const char *name)
{
    bool is_app_header =
        strcasecmp(name, "X-IDENTITY-HEADER") == 0 || strcasecmp(name, "secret") == 0;
    if (request->site == SITE_APP_SERVICE && is_app_header) {
        return LEAK_APP_HEADER;
    }
    return request->site == SITE_ARC && strcasecmp(name, "Authorization") == 0 ? LEAK_ARC_KEY
                                                                               : NO_KIND;
}

struct header_watch {
    const struct request *request;
    bool is_leaking;
};

static enum MHD_Result watch_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct header_watch *watch = cls;
    (void)kind;
    if (value != NULL) {
        bool is_authorization = strcasecmp(name, "Authorization") == 0;
        watch->is_leaking |=
            clients_secret_in(value) || watched_in(value, header_home(watch->request, name)) ||
            (is_authorization ? !auth_is_at_home(watch->request) : tokens_any_in(value, NULL));
    }
    return MHD_YES;
}

bool leaks_in(const struct request *request)
{
    struct header_watch watch = {request, false};
    bool is_token_request = request->site == SITE_CLOUD && cloud_is_entra(request->host) &&
                            strcmp(request->method, "POST") == 0 &&
                            strcasestr(request->path, "/oauth2/") != NULL;
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, watch_header, &watch);
    return watch.is_leaking || clients_secret_in(request->uri) ||
           tokens_any_in(request->uri, NULL) || watched_in(request->uri, NO_KIND) ||
           tokens_any_in(request->body, is_token_request ? TOKENS_EXCHANGE : NULL) ||
           watched_in(request->body, is_token_request ? LEAK_ASSERTION : NO_KIND) ||
           (!is_token_request && clients_secret_in(request->body));
}
