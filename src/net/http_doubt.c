#include "net/http_doubt.h"

#include <stdint.h>
#include <string.h>

#include <curl/curl.h>

#include "platform/system.h"
#include "platform/thread.h"

#ifndef _WIN32
#include <netinet/in.h>
#endif

#define DOUBTS_MAX 32
#define DOUBT_MS   60000

static struct {
    struct plat_mutex mutex;
    struct {
        struct http_address address;
        uint64_t until_ms;
    } at[DOUBTS_MAX];
} doubts = {.mutex = PLAT_MUTEX_INIT};

/* Leaves out the port. */
static struct http_address doubt_read_address(const struct curl_sockaddr *from)
{
    struct http_address out;
    memset(&out, 0, sizeof out);
    if (from->family == AF_INET && from->addrlen >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, &from->addr, sizeof ipv4);
        memcpy(out.bytes, &ipv4.sin_addr, sizeof ipv4.sin_addr);
        out.family = AF_INET;
    } else if (from->family == AF_INET6 && from->addrlen >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, &from->addr, sizeof ipv6);
        memcpy(out.bytes, &ipv6.sin6_addr, sizeof ipv6.sin6_addr);
        out.family = AF_INET6;
    }
    return out;
}

static bool doubt_equals(const struct http_address *a, const struct http_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* Under the lock: the address's place, else the place of the oldest one. */
static size_t doubt_place(const struct http_address *address)
{
    size_t oldest = 0;
    for (size_t i = 0; i < DOUBTS_MAX; i++) {
        if (doubt_equals(&doubts.at[i].address, address)) {
            return i;
        }
        oldest = doubts.at[i].until_ms < doubts.at[oldest].until_ms ? i : oldest;
    }
    return oldest;
}

static bool doubt_has(const struct http_address *address)
{
    uint64_t now_ms = plat_now_ms();
    plat_mutex_lock(&doubts.mutex);
    size_t place = doubt_place(address);
    bool has =
        doubt_equals(&doubts.at[place].address, address) && now_ms < doubts.at[place].until_ms;
    plat_mutex_unlock(&doubts.mutex);
    return has;
}

static bool doubt_is_among(const struct http_address *list, size_t count,
                           const struct http_address *address)
{
    for (size_t i = 0; i < count; i++) {
        if (doubt_equals(&list[i], address)) {
            return true;
        }
    }
    return false;
}

/* The address is in doubt until `until_ms`; 0 ends the doubt. */
static void doubt_set(const struct http_address *address, uint64_t until_ms)
{
    plat_mutex_lock(&doubts.mutex);
    size_t place = doubt_place(address);
    if (until_ms > 0 || doubt_equals(&doubts.at[place].address, address)) {
        doubts.at[place].address = *address;
        doubts.at[place].until_ms = until_ms;
    }
    plat_mutex_unlock(&doubts.mutex);
}

void http_trial_begin(struct http_trial *trial)
{
    trial->takes_any = false;
    trial->opened_count = trial->refused_count = trial->avoided_count = 0;
}

bool http_trial_admits(struct http_trial *trial, const struct curl_sockaddr *to)
{
    struct http_address address = doubt_read_address(to);
    bool known = address.family != 0;
    if (known && !trial->takes_any && trial->refused_count < HTTP_TRIAL_MAX &&
        (doubt_is_among(trial->avoided, trial->avoided_count, &address) || doubt_has(&address))) {
        trial->refused[trial->refused_count++] = address;
        return false;
    }
    if (known && trial->opened_count < HTTP_TRIAL_MAX) {
        trial->opened[trial->opened_count++] = address;
    }
    trial->peer = address;
    return true;
}

bool http_trial_takes_any(struct http_trial *trial)
{
    if (trial->opened_count > 0 || trial->refused_count == 0) {
        return false;
    }
    for (size_t i = 0; i < trial->refused_count; i++) {
        doubt_set(&trial->refused[i], 0);
    }
    trial->takes_any = true;
    return true;
}

void http_trial_doubt(const struct http_trial *trial)
{
    uint64_t until_ms = plat_now_ms() + DOUBT_MS;
    for (size_t i = 0; i < trial->opened_count; i++) {
        doubt_set(&trial->opened[i], until_ms);
    }
    if (trial->opened_count == 0 && trial->peer.family != 0) {
        doubt_set(&trial->peer, until_ms);
    }
}

void http_trial_avoid(struct http_trial *trial, const struct http_trial *other)
{
    for (size_t i = 0; i < other->opened_count && trial->avoided_count < HTTP_TRIAL_MAX; i++) {
        trial->avoided[trial->avoided_count++] = other->opened[i];
    }
}

void http_trial_doubt_beside(const struct http_trial *served, const struct http_trial *other)
{
    uint64_t until_ms = plat_now_ms() + DOUBT_MS;
    for (size_t i = 0; i < other->opened_count; i++) {
        if (!doubt_is_among(served->opened, served->opened_count, &other->opened[i])) {
            doubt_set(&other->opened[i], until_ms);
        }
    }
}

void http_doubt_reset(void)
{
    plat_mutex_lock(&doubts.mutex);
    memset(doubts.at, 0, sizeof doubts.at);
    plat_mutex_unlock(&doubts.mutex);
}
