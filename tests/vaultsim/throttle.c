#include "throttle.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cloud.h"
#include "encode.h"

#define VAULT_WINDOW_MS 10000
#define HSM_WINDOW_MS   1000
#define HOSTS_MAX       64

struct window {
    char host[256];
    int64_t begin_ms;
    double used, created; /* shares of the limit: full at 1 */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct window windows[HOSTS_MAX];

/* 0, 1, 2 for RSA 2048, 3072, 4096; EC counts as 2048. */
static int size_class(const struct key_view *view)
{
    int bits = view->pkey != NULL ? EVP_PKEY_get_bits(view->pkey) : 0;
    return bits >= 4096 ? 2 : bits >= 3072 ? 1 : 0;
}

/* "All other transactions" of the service limits, per 10 s. */
static double vault_limit(enum operation operation, const struct key_view *view, bool is_hsm)
{
    static const double soft[] = {4000, 1000, 500}, hsm[] = {2000, 500, 250};
    if (operation == OP_CREATE || operation == OP_IMPORT) {
        return is_hsm ? 10 : 20;
    }
    return is_hsm ? hsm[size_class(view)] : soft[size_class(view)];
}

/* Measured per second with one partition (scaling guidance). */
static double hsm_limit(enum operation operation, const struct key_view *view)
{
    static const double wrap[] = {2200, 1900, 1900}, encrypt[] = {2800, 2700, 2300};
    static const double unwrap[] = {1100, 360, 160}, sign[] = {900, 340, 150};
    static const double verify[] = {3400, 3400, 3700};
    int size = size_class(view);
    switch (operation) {
    case OP_WRAP:
        return wrap[size];
    case OP_ENCRYPT:
        return encrypt[size];
    case OP_UNWRAP:
    case OP_DECRYPT:
        return unwrap[size];
    case OP_SIGN:
        return sign[size];
    case OP_VERIFY:
        return verify[size];
    case OP_CREATE:
    case OP_IMPORT:
        return 1;
    case OP_DELETE:
        return 10;
    default:
        return 1100;
    }
}

static struct window *window_of(const char *host, int64_t now_ms, int64_t length_ms)
{
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        if (windows[i].host[0] == '\0') {
            snprintf(windows[i].host, sizeof windows[i].host, "%s", host);
        } else if (strcasecmp(windows[i].host, host) != 0) {
            continue;
        }
        if (windows[i].begin_ms == 0 || now_ms - windows[i].begin_ms >= length_ms) {
            windows[i].begin_ms = now_ms;
            windows[i].used = windows[i].created = 0;
        }
        return &windows[i];
    }
    return NULL;
}

int throttle_admit(const struct settings *settings, const char *host, enum operation operation,
                   const struct key_view *view)
{
    enum throttle_mode mode = settings->throttle;
    bool is_managed_hsm = cloud_is_hsm(host);
    if (mode == THROTTLE_NONE || (is_managed_hsm && mode == THROTTLE_STANDARD)) {
        return 0;
    }
    bool is_hsm_key = mode == THROTTLE_HSM || strcasestr(view->kty, "-HSM") != NULL;
    double limit =
        is_managed_hsm ? hsm_limit(operation, view) : vault_limit(operation, view, is_hsm_key);
    limit = limit * settings->throttle_percent / 100;
    int64_t length_ms = is_managed_hsm ? HSM_WINDOW_MS : VAULT_WINDOW_MS, now_ms = clock_ms();
    int wait_s = 0;
    pthread_mutex_lock(&lock);
    struct window *window = window_of(host, now_ms, length_ms);
    if (window != NULL) {
        bool is_new_key = operation == OP_CREATE || operation == OP_IMPORT;
        double *used = is_new_key ? &window->created : &window->used;
        if (*used + 1 / limit > 1 + 1e-9) {
            wait_s = (int)((length_ms - (now_ms - window->begin_ms) + 999) / 1000);
        } else {
            *used += 1 / limit;
        }
    }
    pthread_mutex_unlock(&lock);
    return wait_s;
}
