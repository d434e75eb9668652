#include "net/hedge.h"

#include <stdatomic.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "net/usual_time.h"
#include "platform/thread.h"

#define HOSTS        64
#define UNKNOWN_MS   1000 /* TCP sends a lost SYN again after this time */
#define FEW_MS       500
#define FLOOR_MS     50
#define CONNECT_MS   250
#define IDLE_MS      30
#define CALM_MS      30000 /* after a 429 no request is sent twice for so long */
#define SUSPICION_MS 15000
#define YOUNG_MS     250 /* a younger connection may be one that replaced a dead one */
#define TOLD_EACH_MS 60000
/* The budget, in hundredths of a request. A copy costs one request; a copy that was faster gives
 * most of it back. So copies are 2 in 100 requests where they do not help, 10 in 100 where they
 * do. */
#define ONE       100
#define EARNED    2
#define GIVEN     80
#define EARNED_10 10
#define SAVED_MAX 500
#define BEGUN     400

struct host {
    char name[TEXT_HOST_CAP];
    struct usual_time times[HEDGE_WAITS];
    int spare;             /* the saved budget: 2 in 100 and the refunds */
    int most;              /* the saved budget: 10 in 100 */
    uint64_t used_ms;      /* last use of the entry */
    uint64_t refused_ms;   /* the last 429 */
    uint64_t kept_sent_ms; /* when the newest request was sent that an old connection answered */
    uint64_t suspect_ms;   /* connections that last worked before this may be dead */
    unsigned deaths;       /* dead connections found since the suspicion began */
    uint64_t told_ms;      /* the last log line */
    unsigned asked, won;   /* copies sent and copies that were faster, since then */
};

static struct {
    struct plat_mutex mutex;
    struct host hosts[HOSTS];
    atomic_uint_fast64_t suspect_ms; /* the latest of all hosts */
} tail = {.mutex = PLAT_MUTEX_INIT};

void hedge_reset(void)
{
    plat_mutex_lock(&tail.mutex);
    memset(tail.hosts, 0, sizeof tail.hosts);
    atomic_store(&tail.suspect_ms, 0);
    plat_mutex_unlock(&tail.mutex);
}

/* Entries are used from the first on. */
static struct host *hedge_find_host(const char *name)
{
    for (size_t i = 0; i < HOSTS && tail.hosts[i].name[0] != '\0'; i++) {
        if (strcmp(tail.hosts[i].name, name) == 0) {
            return &tail.hosts[i];
        }
    }
    return NULL;
}

/* The host's entry, or a new one that replaces the least recently used one. */
static struct host *hedge_enter_host(const char *name, uint64_t now_ms)
{
    struct host *host = hedge_find_host(name), *oldest = &tail.hosts[0];
    for (size_t i = 1; host == NULL && i < HOSTS; i++) {
        if (tail.hosts[i].used_ms < oldest->used_ms) {
            oldest = &tail.hosts[i];
        }
    }
    if (host == NULL) {
        host = oldest;
        memset(host, 0, sizeof *host);
        (void)text_copy(host->name, sizeof host->name, name);
        host->spare = host->most = BEGUN;
    }
    host->used_ms = now_ms;
    return host;
}

static void hedge_save(int *saved, int more)
{
    *saved = *saved + more < SAVED_MAX ? *saved + more : SAVED_MAX;
}

void hedge_note_response(const char *name, const struct hedge_response *answer)
{
    plat_mutex_lock(&tail.mutex);
    struct host *host = hedge_enter_host(name, answer->now_ms);
    if (answer->status == 429) {
        host->refused_ms = answer->now_ms;
    }
    bool is_old = answer->kept && answer->sent_ms >= answer->opened_ms + YOUNG_MS;
    if (is_old && answer->sent_ms > host->kept_sent_ms) {
        host->kept_sent_ms = answer->sent_ms;
    }
    if (is_old && answer->sent_ms < host->suspect_ms) {
        host->deaths = 0; /* it was suspect itself: they are slow, not dead */
    }
    if (answer->status < 500 && answer->status != 429) {
        usual_time_note(&host->times[answer->posted ? HEDGE_POST : HEDGE_GET],
                        answer->now_ms - answer->sent_ms);
        hedge_save(&host->spare, EARNED);
        hedge_save(&host->most, EARNED_10);
    }
    if (!answer->kept) {
        usual_time_note(&host->times[HEDGE_CONNECT], answer->sent_ms - answer->opened_ms);
    }
    plat_mutex_unlock(&tail.mutex);
}

/* For a host with few responses so far: a response is late only after a long time. */
static uint64_t unknown_patience_ms(const struct usual_time *time, bool idle)
{
    uint64_t least_ms = time == NULL || time->total == 0 ? UNKNOWN_MS : FEW_MS;
    uint64_t ms = time != NULL ? 3 * time->slowest_ms : 0;
    ms = ms > least_ms ? ms : least_ms;
    return idle ? ms / 2 : ms;
}

/* The usual time and a margin. The margin is smaller on a connection that was idle, because it may
 * be dead. */
static uint64_t known_patience_ms(uint64_t usual_ms, enum hedge_wait wait, bool idle)
{
    uint64_t ms = wait == HEDGE_CONNECT ? 2 * usual_ms + FLOOR_MS
                  : idle                ? usual_ms + usual_ms / 8 + 10
                                        : usual_ms + usual_ms / 2 + 20;
    uint64_t least_ms = wait == HEDGE_CONNECT ? CONNECT_MS : idle ? IDLE_MS : FLOOR_MS;
    return ms > least_ms ? ms : least_ms;
}

uint64_t hedge_patience_ms(const char *name, enum hedge_wait wait, bool idle, bool *known)
{
    plat_mutex_lock(&tail.mutex);
    const struct host *host = hedge_find_host(name);
    const struct usual_time *time = host != NULL ? &host->times[wait] : NULL;
    *known = time != NULL && time->usual_ms != 0;
    uint64_t ms =
        *known ? known_patience_ms(time->usual_ms, wait, idle) : unknown_patience_ms(time, idle);
    plat_mutex_unlock(&tail.mutex);
    return ms;
}

/* Under the lock: whether the connection counts as dead. One dead connection may be an accident. If
 * two died and none of their age worked, copies of requests on the others do not wait for the
 * budget, which pays for them later. */
static bool hedge_has_died(const struct host *host, const struct hedge_late *late)
{
    return late->kept && late->proven_ms < host->suspect_ms && host->deaths > 1 &&
           late->now_ms < host->suspect_ms + SUSPICION_MS;
}

bool hedge_allow(const char *name, const struct hedge_late *late, struct throttle_pass *pass)
{
    if (!throttle_try_acquire(name, pass)) {
        return false;
    }
    plat_mutex_lock(&tail.mutex);
    struct host *host = hedge_enter_host(name, late->now_ms);
    bool calm = host->refused_ms == 0 || late->now_ms >= host->refused_ms + CALM_MS;
    bool saved = host->spare >= ONE && host->most >= ONE;
    bool allowed = calm && (saved || hedge_has_died(host, late));
    if (allowed) {
        host->spare -= ONE;
        host->most -= ONE;
        host->asked++;
    }
    plat_mutex_unlock(&tail.mutex);
    return allowed;
}

/* Under the lock. A reused connection that is silent is slow or dead. It is dead if no other old
 * connection answered a request that was sent after it. Then all connections that did not work
 * since it was late are suspect. */
static void hedge_note_silence(struct host *host, const struct hedge_win *win)
{
    if (host->kept_sent_ms >= win->sent_ms) {
        return;
    }
    /* What died together was in order before the first of them was late. Where many answers are
     * late all the time, each of them would else make others suspect. */
    bool anew = win->now_ms >= host->suspect_ms + SUSPICION_MS;
    host->deaths = anew ? 1 : host->deaths + 1;
    if ((anew || host->most >= 0) && win->asked_ms > host->suspect_ms) {
        host->suspect_ms = win->asked_ms;
    }
    if (host->suspect_ms > atomic_load(&tail.suspect_ms)) {
        atomic_store(&tail.suspect_ms, host->suspect_ms);
    }
}

void hedge_note_win(const char *name, const struct hedge_win *win)
{
    unsigned asked = 0, won = 0;
    plat_mutex_lock(&tail.mutex);
    struct host *host = hedge_enter_host(name, win->now_ms);
    hedge_save(&host->spare, GIVEN);
    host->won++;
    if (win->silent) {
        hedge_note_silence(host, win);
    }
    if (host->told_ms == 0 || win->now_ms >= host->told_ms + TOLD_EACH_MS) {
        asked = host->asked;
        won = host->won;
        host->asked = host->won = 0;
        host->told_ms = win->now_ms;
    }
    plat_mutex_unlock(&tail.mutex);
    if (won > 0) {
        log_text(LEVEL_INFO, 0, "hedge",
                 "late answers of %s: %u requests were sent once more, %u of them were faster",
                 name, asked, won);
    }
}

bool hedge_suspects(const char *name, uint64_t proven_ms)
{
    if (proven_ms == 0 || proven_ms >= atomic_load(&tail.suspect_ms)) {
        return false;
    }
    plat_mutex_lock(&tail.mutex);
    const struct host *host = hedge_find_host(name);
    bool suspects = host != NULL && proven_ms < host->suspect_ms;
    plat_mutex_unlock(&tail.mutex);
    return suspects;
}
