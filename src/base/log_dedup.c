#include "base/log_dedup.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include "base/text.h"
#include "platform/thread.h"

#define SLOTS 32

static struct plat_mutex mutex = PLAT_MUTEX_INIT;
static struct log_folded slots[SLOTS]; /* seen == 0: the slot is free */
static atomic_uint used;               /* avoids the lock while nothing fails */

/* Compares as much of both texts as a slot holds. */
static bool is_same(const struct log_folded *slot, const char *operation, int32_t code,
                    const char *vault)
{
    return slot->seen > 0 && slot->code == code &&
           strncmp(slot->operation, operation, sizeof slot->operation - 1) == 0 &&
           strncmp(slot->vault, vault, sizeof slot->vault - 1) == 0;
}

/* A thread may have read the clock before another one began the slot. Its time is then the earlier
 * one, and the difference must not wrap round. */
static bool is_over(const struct log_folded *slot, uint64_t now_ms)
{
    return now_ms >= slot->since_ms && now_ms - slot->since_ms >= LOG_DEDUP_MINUTE_MS;
}

static void log_dedup_begin(struct log_folded *slot, uint64_t now_ms, const char *operation,
                            int32_t code, const char *vault)
{
    (void)text_copy(slot->operation, sizeof slot->operation, operation);
    (void)text_copy(slot->vault, sizeof slot->vault, vault);
    slot->code = code;
    slot->since_ms = now_ms;
    slot->seen = 1;
    slot->suppressed = 0;
}

bool log_dedup_admit(uint64_t now_ms, const char *operation, int32_t code, const char *vault)
{
    bool admitted = true;
    struct log_folded *free_slot = NULL, *slot = NULL;
    plat_mutex_lock(&mutex);
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i].seen == 0) {
            free_slot = free_slot == NULL ? &slots[i] : free_slot;
        } else if (is_same(&slots[i], operation, code, vault)) {
            slot = &slots[i];
        }
    }
    if (slot != NULL) {
        admitted = slot->seen < LOG_DEDUP_LIMIT;
        slot->seen += admitted; /* stops at the limit, so that it cannot wrap to 0, which means
                                 * free */
        slot->suppressed += !admitted && slot->suppressed < UINT_MAX;
    } else if (free_slot != NULL) {
        log_dedup_begin(free_slot, now_ms, operation, code, vault);
        atomic_fetch_add(&used, 1);
    }
    plat_mutex_unlock(&mutex);
    return admitted;
}

bool log_dedup_expired(uint64_t now_ms, bool all, struct log_folded *out)
{
    bool found = false;
    if (atomic_load(&used) == 0) {
        return false;
    }
    plat_mutex_lock(&mutex);
    for (int i = 0; i < SLOTS && !found; i++) {
        if (slots[i].seen > 0 && (all || is_over(&slots[i], now_ms))) {
            found = slots[i].suppressed > 0;
            *out = slots[i];
            slots[i].seen = 0;
            atomic_fetch_sub(&used, 1);
        }
    }
    plat_mutex_unlock(&mutex);
    return found;
}
