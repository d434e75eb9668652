#include "net/throttle.h"

#include <string.h>

#include "base/text.h"
#include "net/backoff.h"
#include "net/wait_queue.h"
#include "platform/system.h"
#include "platform/thread.h"

#define HOSTS 64

#define PROBE_MS 1000
#define PAUSE_STEPS                                                                                \
    3                  /* 400, 800, 1600 ms: they may be short, because only one call is sent      \
                        * after each */
#define SPREAD_MS  100 /* so that servers that were refused together do not come back together */
#define PACED_MS   1000
#define PACE       4  /* this many times the calls that wait are sent in that time, */
#define PACE_LEAST 16 /* and that many times this number at least */
#define OPEN_AT    64 /* after so many successes at once the throttling is over */

struct host {
    char name[TEXT_HOST_CAP];
    bool limited;
    uint64_t not_before_ms, last_ms; /* last_ms: when the last call was sent while throttled */
    uint64_t epoch;                  /* a new number with each new refusal */
    unsigned refusals;               /* without a response between them */
    unsigned allowed, in_flight;     /* while throttled, of this epoch */
    bool paced;                      /* a bounded rate, for a second after the pause */
    uint64_t paced_ms;               /* when that second began; 0: nothing was sent yet */
    unsigned pace, paced_count;
    unsigned answered, answered_last; /* since the last refusal; between the two before it */
    struct call_error said;           /* with the last refusal; without note and request id */
};

static struct {
    struct plat_mutex mutex;
    struct host hosts[HOSTS];
    struct wait_queue_place *line;
    uint64_t epochs;
} patience = {.mutex = PLAT_MUTEX_INIT};

/* Under the lock: wakes the calls to this host whose turn it may be now. The others check by
 * themselves from time to time. */
static void tell_waiters(const struct host *host)
{
    if (host == NULL) {
        return;
    }
    unsigned before = host->in_flight;
    for (struct wait_queue_place *at = patience.line; at != NULL; at = at->next) {
        if (strcmp(at->host, host->name) == 0 && (!host->limited || before++ < host->allowed)) {
            plat_cond_broadcast(&at->turn);
        }
    }
}

/* Under the lock, after a call was sent: wakes the next one of a paced host, which must only wait
 * for its time. */
static void throttle_tell_next(const struct host *host)
{
    for (struct wait_queue_place *at = patience.line; host != NULL && host->paced && at != NULL;
         at = at->next) {
        if (strcmp(at->host, host->name) == 0) {
            plat_cond_broadcast(&at->turn);
            return;
        }
    }
}

static unsigned throttle_count_waiters(const struct host *host)
{
    unsigned count = 0;
    for (const struct wait_queue_place *at = patience.line; at != NULL; at = at->next) {
        count += strcmp(at->host, host->name) == 0;
    }
    return count;
}

void throttle_reset(void)
{
    plat_mutex_lock(&patience.mutex);
    memset(patience.hosts, 0, sizeof patience.hosts);
    plat_mutex_unlock(&patience.mutex);
}

/* Entries are used from the first on. */
static struct host *throttle_find_host(const char *name)
{
    for (size_t i = 0; i < HOSTS && patience.hosts[i].name[0] != '\0'; i++) {
        if (strcmp(patience.hosts[i].name, name) == 0) {
            return &patience.hosts[i];
        }
    }
    return NULL;
}

/* The host's entry, or a new one instead of the one whose pause ended first. */
static struct host *find_or_take(const char *name)
{
    struct host *host = throttle_find_host(name), *oldest = &patience.hosts[0];
    if (host != NULL) {
        return host;
    }
    for (size_t i = 1; i < HOSTS; i++) {
        if (patience.hosts[i].not_before_ms < oldest->not_before_ms) {
            oldest = &patience.hosts[i];
        }
    }
    memset(oldest, 0, sizeof *oldest);
    (void)text_copy(oldest->name, sizeof oldest->name, name);
    return oldest;
}

static unsigned waiters_before(const struct wait_queue_place *self)
{
    unsigned before = 0;
    for (const struct wait_queue_place *at = patience.line; at != self; at = at->next) {
        before += strcmp(at->host, self->host) == 0;
    }
    return before;
}

/* Under the lock: whether one more request may be sent. Retry-After is in whole seconds, so servers
 * that share a limit come back up to a second apart. A server that uses up the whole window at once
 * would leave nothing to the others. That would happen in each window, until their calls' deadlines
 * pass. */
static bool throttle_keeps_pace(struct host *host, uint64_t now_ms, unsigned waiting)
{
    if (host->paced_ms == 0) {
        host->paced_ms = now_ms;
        host->paced_count = 0;
        host->pace = PACE * (waiting > PACE_LEAST ? waiting : PACE_LEAST);
        if (host->pace < host->answered_last / 2) {
            host->pace = host->answered_last / 2; /* alone, half of what the host allows */
        }
    }
    uint64_t passed_ms = now_ms - host->paced_ms;
    host->paced = passed_ms < PACED_MS;
    if (!host->paced) {
        tell_waiters(host);
    }
    return !host->paced || host->paced_count <= host->pace * passed_ms / PACED_MS;
}

enum turn { GO, WAIT, TOO_LONG };

/* Under the lock. At least one call a second is sent: if the host asks for a longer pause than the
 * call has time, so that the end of the throttling is noticed; and if the call that was sent first
 * has no response yet. */
static enum turn throttle_look(struct host *host, const struct wait_queue_place *self,
                               uint64_t now_ms, struct throttle_pass *pass)
{
    pass->epoch = host != NULL ? host->epoch : 0;
    if (host == NULL || (!host->limited && !host->paced)) {
        return GO;
    }
    unsigned before = waiters_before(self);
    bool due = now_ms >= host->last_ms + PROBE_MS;
    pass->probe = host->limited && host->not_before_ms >= self->deadline_ms;
    if (pass->probe ? !due : host->not_before_ms > now_ms) {
        return pass->probe ? TOO_LONG : WAIT;
    }
    if (host->limited && !pass->probe && host->in_flight + before >= host->allowed &&
        !(due && before == 0)) {
        return WAIT;
    }
    if (host->paced && !pass->probe &&
        (before > 0 || !throttle_keeps_pace(host, now_ms, throttle_count_waiters(host)))) {
        return WAIT;
    }
    host->paced_count++;
    host->in_flight++;
    host->last_ms = now_ms;
    return GO;
}

static void wait_for_change(const struct host *host, struct wait_queue_place *self, uint64_t now_ms)
{
    uint64_t until_ms = now_ms + CALL_SLICE_MS;
    if (host->not_before_ms > now_ms && host->not_before_ms < until_ms) {
        until_ms = host->not_before_ms;
    } else if (host->paced && waiters_before(self) == 0) {
        until_ms = now_ms + 1;
    }
    plat_cond_wait_until(&self->turn, &patience.mutex,
                         until_ms < self->deadline_ms ? until_ms : self->deadline_ms);
}

static enum ekm_rc throttle_code(const struct http_request *request)
{
    return request->local      ? EKM_IDENTITY_UNAVAILABLE
           : request->to_entra ? EKM_TOKEN_UNAVAILABLE
                               : EKM_THROTTLED;
}

void throttle_note_word(const char *name, const struct call_error *said)
{
    plat_mutex_lock(&patience.mutex);
    struct host *host = throttle_find_host(name);
    if (host != NULL) {
        host->said = *said;
        host->said.note[0] = host->said.request_id[0] = '\0';
    }
    plat_mutex_unlock(&patience.mutex);
}

/* The turn did not come. If the call itself got no 429, its error says what the host told another
 * call. */
static enum ekm_rc throttle_fail(struct call *call, const struct http_request *request,
                                 const struct call_error *said)
{
    bool is_hearsay = call->error.http_status != 429 && said->http_status != 0;
    if (is_hearsay) {
        call->error = *said;
    }
    return call_fail(call, throttle_code(request),
                     "%s asked %s for a wait longer than the rest of this call", request->host,
                     is_hearsay ? "another call" : "this call");
}

enum ekm_rc throttle_acquire(struct call *call, const struct http_request *request,
                             struct throttle_pass *pass)
{
    struct wait_queue_place self = {.deadline_ms = call->deadline_ms, .host = request->host};
    enum turn turn = WAIT;
    enum ekm_rc rc = call_check(call);
    memset(pass, 0, sizeof *pass);
    if (rc != EKM_OK) {
        return rc;
    }
    plat_mutex_lock(&patience.mutex);
    wait_queue_join(&patience.line, &self);
    while (rc == EKM_OK && turn == WAIT) {
        struct host *host = throttle_find_host(self.host);
        uint64_t now_ms = plat_now_ms();
        turn = throttle_look(host, &self, now_ms, pass);
        if (turn == WAIT) {
            wait_for_change(host, &self, now_ms);
            rc = call_check(call);
        }
    }
    wait_queue_leave(&patience.line, &self);
    const struct host *host = throttle_find_host(self.host);
    if (turn != GO) {
        tell_waiters(host);
    } else {
        throttle_tell_next(host);
    }
    struct call_error said = host != NULL ? host->said : (struct call_error){.rc = EKM_OK};
    plat_mutex_unlock(&patience.mutex);
    if (turn == GO || rc == EKM_CLOSING) {
        return rc;
    }
    return throttle_fail(call, request, &said);
}

bool throttle_try_acquire(const char *name, struct throttle_pass *pass)
{
    memset(pass, 0, sizeof *pass);
    plat_mutex_lock(&patience.mutex);
    const struct host *host = throttle_find_host(name);
    bool may = host == NULL || (!host->limited && !host->paced);
    pass->epoch = host != NULL ? host->epoch : 0;
    plat_mutex_unlock(&patience.mutex);
    return may;
}

bool throttle_stands(const char *name, const struct throttle_pass *pass)
{
    plat_mutex_lock(&patience.mutex);
    const struct host *host = throttle_find_host(name);
    bool stands = host == NULL || !host->limited || host->epoch == pass->epoch;
    plat_mutex_unlock(&patience.mutex);
    return stands;
}

/* Under the lock. A response to a request from before the last refusal only says how long the host
 * wants a pause, and nothing once the pause is over. The random part is added once; otherwise each
 * window of the host's limit would wait for the longest of a whole burst. */
static void throttle_note_refusal(struct host *host, const struct throttle_pass *pass,
                                  uint64_t asked_ms, uint64_t now_ms, uint32_t random)
{
    uint64_t pause_ms = asked_ms;
    bool is_news = pass->epoch == host->epoch;
    if (is_news) {
        host->refusals += host->refusals < PAUSE_STEPS;
        host->epoch = ++patience.epochs;
        host->limited = true;
        host->allowed = 1;
        host->in_flight = 0;
        host->answered_last = host->answered;
        host->answered = 0;
        host->paced = asked_ms > 0;
        host->paced_ms = 0;
        pause_ms =
            asked_ms > 0 ? asked_ms + random % SPREAD_MS : backoff_delay_ms(host->refusals, random);
    }
    if ((is_news || host->not_before_ms > now_ms) && host->not_before_ms < now_ms + pause_ms) {
        host->not_before_ms = now_ms + pause_ms;
    }
}

/* Under the lock: the request is over. If it was answered, one more may be in flight. */
static void throttle_note_end(struct host *host, const struct throttle_pass *pass, bool answered,
                              uint64_t now_ms)
{
    if (!host->limited || pass->epoch != host->epoch) {
        return;
    }
    host->in_flight--;
    if (answered) {
        if (pass->probe && host->not_before_ms > now_ms) {
            host->not_before_ms = now_ms;
        }
        host->refusals = 0;
        host->allowed++;
        host->limited = host->allowed <= OPEN_AT;
    }
    tell_waiters(host);
}

void throttle_release(const char *host, const struct throttle_pass *pass,
                      enum throttle_outcome outcome, uint64_t asked_ms)
{
    uint32_t random = 0;
    if (outcome == THROTTLE_REFUSED) {
        (void)plat_random(&random, sizeof random);
    }
    plat_mutex_lock(&patience.mutex);
    if (outcome == THROTTLE_REFUSED) {
        throttle_note_refusal(find_or_take(host), pass, asked_ms, plat_now_ms(), random);
    } else {
        struct host *known = throttle_find_host(host);
        if (known != NULL) {
            known->answered += outcome == THROTTLE_ANSWERED;
            throttle_note_end(known, pass, outcome == THROTTLE_ANSWERED, plat_now_ms());
        }
    }
    plat_mutex_unlock(&patience.mutex);
}
