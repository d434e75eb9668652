#include "copies.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "encode.h"

#define HOSTS    16
#define GRACE_MS 1000 /* what was on its way when the client heard of the refusal */
#define CALM_MS  30000

struct serving {
    struct serving *next;
    const struct request *request; /* alone to be found again by */
    char *what;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct serving *all;
static struct {
    char host[256];
    int64_t first_ms, last_ms; /* of the refusals that are less than CALM_MS apart */
} refusals[HOSTS];

/* Under the lock: the host's place, or one that is free, or the last. */
static size_t copies_place(const char *host)
{
    size_t i = 0;
    while (i + 1 < HOSTS && refusals[i].host[0] != '\0' && strcmp(refusals[i].host, host) != 0) {
        i++;
    }
    return i;
}

/* Under the lock. */
static bool copies_is_throttling(const char *host)
{
    size_t i = copies_place(host);
    int64_t now_ms = clock_ms();
    return strcmp(refusals[i].host, host) == 0 && now_ms > refusals[i].first_ms + GRACE_MS &&
           now_ms < refusals[i].last_ms + CALM_MS;
}

void copies_begin(const struct request *request)
{
    const char *id = request_header(request, "x-ms-client-request-id");
    if (id == NULL) {
        return;
    }
    struct serving *own = must(calloc(1, sizeof *own));
    own->request = request;
    own->what = format_text("%s %s %s %s", id, request->method, request->host, request->uri);
    pthread_mutex_lock(&lock);
    const struct serving *at = all;
    while (at != NULL && strcmp(at->what, own->what) != 0) {
        at = at->next;
    }
    own->next = all;
    all = own;
    bool is_throttling = at != NULL && copies_is_throttling(request->host);
    pthread_mutex_unlock(&lock);
    if (at != NULL) {
        counters_add(COUNT_COPIES);
    }
    if (is_throttling) {
        counters_add(COUNT_COPIES_THROTTLED);
    }
}

void copies_end(const struct request *request)
{
    struct serving *found = NULL;
    pthread_mutex_lock(&lock);
    for (struct serving **at = &all; *at != NULL && found == NULL; at = &(*at)->next) {
        if ((*at)->request == request) {
            found = *at;
            *at = found->next;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    if (found != NULL) {
        free(found->what);
        free(found);
    }
}

void copies_note_refusal(const char *host)
{
    int64_t now_ms = clock_ms();
    pthread_mutex_lock(&lock);
    size_t i = copies_place(host);
    bool is_same = strcmp(refusals[i].host, host) == 0;
    if (!is_same || now_ms >= refusals[i].last_ms + CALM_MS) {
        snprintf(refusals[i].host, sizeof refusals[i].host, "%s", host);
        refusals[i].first_ms = now_ms;
    }
    refusals[i].last_ms = now_ms;
    pthread_mutex_unlock(&lock);
}

void copies_reset(void)
{
    pthread_mutex_lock(&lock);
    memset(refusals, 0, sizeof refusals);
    pthread_mutex_unlock(&lock);
}
