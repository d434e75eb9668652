#include "vault/expiry.h"

#include <string.h>

#include "base/codec.h"
#include "base/date.h"
#include "base/text.h"
#include "platform/system.h"
#include "platform/thread.h"

#define THINGS_MAX 256

struct expiry_thing {
    uint64_t hash; /* of kind, name and end, so that a renewed thing differs; 0: none */
    int64_t told_s;
};

static struct plat_mutex lock = PLAT_MUTEX_INIT;
static struct expiry_thing things[THINGS_MAX];

int64_t expiry_days_left(int64_t end_s)
{
    int64_t left_s = end_s - plat_unix_time_ms() / 1000;
    return left_s >= 0 ? left_s / EXPIRY_DAY_S : (left_s + 1) / EXPIRY_DAY_S - 1;
}

static uint64_t expiry_hash(enum expiry_kind kind, const char *what, int64_t end_s)
{
    uint64_t hash = fnv_add(FNV_START, &kind, sizeof kind);
    hash = fnv_add(hash, what, strlen(what));
    hash = fnv_add(hash, &end_s, sizeof end_s);
    return hash != 0 ? hash : 1;
}

/* Whether the thing's warning is due; if so, notes it as given. A full table loses its oldest
 * entry. */
static bool expiry_take(uint64_t hash, int64_t now_s)
{
    bool due = true;
    plat_mutex_lock(&lock);
    struct expiry_thing *place = &things[0];
    for (size_t i = 0; i < THINGS_MAX; i++) {
        if (things[i].hash == hash) {
            place = &things[i];
            due = now_s - place->told_s >= EXPIRY_DAY_S;
            break;
        }
        if (things[i].told_s < place->told_s) {
            place = &things[i];
        }
    }
    if (due) {
        *place = (struct expiry_thing){hash, now_s};
    }
    plat_mutex_unlock(&lock);
    return due;
}

void expiry_note(struct call *call, enum expiry_kind kind, const char *what, int64_t end_s)
{
    static const struct {
        const char *thing, *renew, *over;
    } words[] = {
        [EXPIRY_KEY] = {"the key", "rotate it",
                        "it still opens what it wrapped, and wraps nothing new"},
        [EXPIRY_CERTIFICATE] = {"the certificate that signs in", "renew it", "it signs in no more"},
        [EXPIRY_SECRET] = {"the client secret", "make a new one, and set secret_expires anew",
                           "make a new one, or set secret_expires anew"},
    };
    char date[DATE_CAP];
    int64_t now_s = plat_unix_time_ms() / 1000;
    if (end_s == 0 || end_s - now_s >= (int64_t)EXPIRY_WARN_DAYS * EXPIRY_DAY_S ||
        !expiry_take(expiry_hash(kind, what, end_s), now_s)) {
        return;
    }
    date_write(end_s, date);
    if (end_s > now_s) {
        call_log(call, LEVEL_ERROR, "%s ends in %lld days, on %s: %s", words[kind].thing,
                 (long long)expiry_days_left(end_s), date, words[kind].renew);
    } else {
        call_log(call, LEVEL_ERROR, "%s ended on %s: %s", words[kind].thing, date,
                 words[kind].over);
    }
}

void expiry_clear(void)
{
    plat_mutex_lock(&lock);
    memset(things, 0, sizeof things);
    plat_mutex_unlock(&lock);
}

int64_t expiry_of_secret(const struct config *config, const char *client_id)
{
    int64_t end_s = 0, for_all_s = 0;
    for (size_t i = 0; i < config->secret_expires.count; i++) {
        const char *item = config->secret_expires.items[i], *colon = strchr(item, ':');
        const char *date = colon != NULL ? colon + 1 + strspn(colon + 1, " \t") : item;
        size_t len = colon != NULL ? (size_t)(colon - item) : 0;
        char named[37] = "";
        while (len > 0 && (item[len - 1] == ' ' || item[len - 1] == '\t')) {
            len--;
        }
        if (colon == NULL) {
            (void)date_read(date, strlen(date), &for_all_s);
        } else if (uuid_read(item, len, named) && text_equal_nocase(named, client_id)) {
            (void)date_read(date, strlen(date), &end_s);
        }
    }
    return end_s != 0 ? end_s : for_all_s;
}
