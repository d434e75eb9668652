#include "vault/second_vault.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "platform/system.h"
#include "platform/thread.h"
#include "vault/vault_status.h"

#define PROBE_AGAIN_MS 5000

struct second_vault {
    struct vault_address first, second;
    struct call_watch watch; /* watches the first vault; is_down is written under the lock */
    struct plat_mutex lock;
    bool is_probed;    /* a call probes the first vault now */
    uint64_t probe_ms; /* no probe before this time */
    uint64_t down_ms;  /* when the first vault went down */
};

/* The vault that a call uses first. PROBE: the first vault is down, and this call checks whether it
 * is back. Only one call at a time does so. */
enum turn { FIRST, PROBE, SECOND };

static struct second_vault *pairs;
static size_t pair_count;

static enum ekm_rc second_vault_refuse(const struct config *config, const char *item,
                                       const char *why, char *reason, size_t cap)
{
    (void)text_format(reason, cap, "%s:%u: second_vault: %.200s: %s", config->path,
                      config->second_vault_line, item, why);
    return EKM_CONFIGURATION;
}

/* Reads `FIRST: SECOND`. Each vault has the form of IDENTITY. */
static bool second_vault_read_pair(const struct config *config, const char *item,
                                   struct second_vault *out, const char **why)
{
    char first[300];
    size_t scheme = text_equal_nocase_n(item, "https://", 8) ? 8 : 0;
    const char *colon = strchr(item + scheme, ':');
    size_t len = colon != NULL ? (size_t)(colon - item) : 0;
    while (len > 0 && (item[len - 1] == ' ' || item[len - 1] == '\t')) {
        len--;
    }
    *why = "is not VAULT: SECOND VAULT";
    if (colon == NULL || !text_copy_n(first, sizeof first, item, len)) {
        return false;
    }
    const char *second = colon + 1 + strspn(colon + 1, " \t");
    *why = "the first is no vault of a known cloud or of vault_suffixes";
    if (address_parse(config, first, &out->first) != EKM_OK) {
        return false;
    }
    *why = "the second is no vault of a known cloud or of vault_suffixes";
    return address_parse(config, second, &out->second) == EKM_OK;
}

/* Another cloud has other login hosts, which must not get this cloud's secrets. The cloud of a
 * vault of vault_suffixes is not known. Such a vault can only stand in for another such vault. */
static bool second_vault_same_cloud(const struct second_vault *pair)
{
    const char *first = address_authority(&pair->first), *second = address_authority(&pair->second);
    return first == second || (first != NULL && second != NULL && text_equal_nocase(first, second));
}

static const char *second_vault_judge(const struct second_vault *pair, size_t before)
{
    if (strcmp(pair->first.host, pair->second.host) == 0) {
        return "a vault cannot stand in for itself";
    }
    if (!second_vault_same_cloud(pair)) {
        return "the two are not of the same cloud: the sign-in of one is none in the other";
    }
    for (size_t i = 0; i < before; i++) {
        if (strcmp(pairs[i].first.host, pair->first.host) == 0) {
            return "the first has a second vault already";
        }
    }
    return NULL;
}

enum ekm_rc second_vault_start(const struct config *config, char *reason, size_t reason_cap)
{
    size_t count = config->second_vault.count;
    pairs = count > 0 ? calloc(count, sizeof *pairs) : NULL;
    if (count > 0 && pairs == NULL) {
        return EKM_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const char *item = config->second_vault.items[i], *why = NULL;
        pairs[i].lock = (struct plat_mutex)PLAT_MUTEX_INIT;
        if (second_vault_read_pair(config, item, &pairs[i], &why)) {
            why = second_vault_judge(&pairs[i], i);
        }
        if (why != NULL) {
            second_vault_stop();
            return second_vault_refuse(config, item, why, reason, reason_cap);
        }
    }
    pair_count = count;
    return EKM_OK;
}

void second_vault_stop(void)
{
    free(pairs);
    pairs = NULL;
    pair_count = 0;
}

struct second_vault *second_vault_find(const char *host)
{
    for (size_t i = 0; i < pair_count; i++) {
        if (strcmp(pairs[i].first.host, host) == 0) {
            return &pairs[i];
        }
    }
    return NULL;
}

/* The second vault has no second vault itself, so each call uses at most two. */
void second_vault_of(const struct vault *first, struct vault *out)
{
    memset(out, 0, sizeof *out);
    out->address = first->spare->second;
    out->credential = first->credential;
    out->stands_in = true;
}

static enum turn second_vault_begin(struct second_vault *pair, bool may_probe)
{
    enum turn turn = FIRST;
    uint64_t now_ms = plat_now_ms();
    if (!atomic_load(&pair->watch.is_down)) {
        return turn;
    }
    plat_mutex_lock(&pair->lock);
    if (atomic_load(&pair->watch.is_down)) {
        bool probe = may_probe && !pair->is_probed && now_ms >= pair->probe_ms;
        pair->is_probed |= probe;
        turn = probe ? PROBE : SECOND;
    }
    plat_mutex_unlock(&pair->lock);
    return turn;
}

/* Limits how long a call of this turn waits for the first vault: at most half of its time. */
static void second_vault_limit(struct call *call, struct second_vault *pair, enum turn turn)
{
    uint64_t left_ms = call_remaining_ms(call);
    memset(&call->patience, 0, sizeof call->patience);
    call->patience.watch = &pair->watch;
    call->patience.is_probe = turn == PROBE;
    call->patience.end_ms = plat_now_ms() + left_ms / 2;
    call->vault_answered = false;
}

static void second_vault_log_down(struct call *call, const struct second_vault *pair,
                                  enum ekm_rc rc)
{
    struct log_line line;
    if (!log_wanted(LEVEL_ERROR)) {
        return;
    }
    log_begin(&line, LEVEL_ERROR, call->number, call->operation);
    line.code = ekm_code(rc);
    log_pair_number(&line, "code", ekm_code(rc));
    log_pair(&line, "text",
             "the vault is out of reach: the second one opens keys until it is back");
    log_pair(&line, "vault", pair->first.host);
    log_pair(&line, "second", pair->second.host);
    log_pair(&line, "cause", ekm_text(rc));
    log_pair(&line, "note", call->error.note);
    log_write(&line);
}

/* Logged as an error so that it also goes to the system log, like the line about the outage. */
static void second_vault_log_back(struct call *call, const struct second_vault *pair,
                                  uint64_t down_ms)
{
    struct log_line line;
    if (!log_wanted(LEVEL_ERROR)) {
        return;
    }
    log_begin(&line, LEVEL_ERROR, call->number, call->operation);
    log_pair(&line, "text", "the vault answers again: it opens keys as before, not the second one");
    log_pair(&line, "vault", pair->first.host);
    log_pair(&line, "second", pair->second.host);
    log_pair_number(&line, "seconds", (int64_t)(down_ms / 1000));
    log_write(&line);
}

/* Notes the outcome of a step at the first vault. True: it is an outage, so the second vault is
 * used. A call that began before the outage does not show that it is over. */
static bool second_vault_end(struct call *call, struct second_vault *pair, enum turn turn,
                             enum ekm_rc rc)
{
    bool is_outage = call->error.at_vault && vault_status_is_outage(&call->error, rc);
    bool answered = call->vault_answered && !is_outage && turn != FIRST;
    uint64_t now_ms = plat_now_ms(), down_ms = 0;
    plat_mutex_lock(&pair->lock);
    bool was_down = atomic_load(&pair->watch.is_down);
    pair->is_probed = pair->is_probed && turn != PROBE;
    if (is_outage) {
        pair->probe_ms = turn == PROBE || !was_down ? now_ms + PROBE_AGAIN_MS : pair->probe_ms;
        pair->down_ms = was_down ? pair->down_ms : now_ms;
        atomic_store(&pair->watch.is_down, true);
    } else if (answered && was_down) {
        down_ms = now_ms - pair->down_ms;
        atomic_store(&pair->watch.is_down, false);
    }
    plat_mutex_unlock(&pair->lock);
    if (is_outage && !was_down) {
        second_vault_log_down(call, pair, rc);
    } else if (answered && was_down) {
        second_vault_log_back(call, pair, down_ms);
    }
    return is_outage;
}

/* The second vault gets half of the time that is left. If it fails too, the first one gets the
 * rest. */
static enum ekm_rc second_vault_ask(struct call *call, const struct vault *first,
                                    second_vault_step step, void *context)
{
    struct vault second;
    const uint64_t deadline_ms = call->deadline_ms;
    second_vault_of(first, &second);
    (void)text_copy(call->vault, sizeof call->vault, second.address.host);
    call_clear_error(call);
    call->deadline_ms = plat_now_ms() + call_remaining_ms(call) / 2;
    enum ekm_rc rc = step(call, &second, context);
    call->deadline_ms = deadline_ms;
    return rc;
}

/* Called when both vaults failed. `former` is the first one's error; EKM_OK: it was not used. */
static enum ekm_rc second_vault_ask_first_again(struct call *call, const struct vault *first,
                                                const struct call_error *former,
                                                second_vault_step step, void *context)
{
    char note[sizeof call->error.note];
    const struct call_error other = call->error;
    (void)text_format(note, sizeof note, "the second vault %s: %d %s", call->vault,
                      (int)ekm_code(other.rc), other.note);
    (void)text_copy(call->vault, sizeof call->vault, first->address.host);
    call_clear_error(call);
    call->vault_answered = false;
    enum ekm_rc rc = step(call, first, context);
    if (rc == EKM_DEADLINE && former->rc != EKM_OK) {
        call->error = *former; /* the outcome of an earlier try says more */
        rc = former->rc;
    }
    if (second_vault_end(call, first->spare, SECOND, rc)) {
        call_add_note(call, note);
    }
    return rc;
}

enum ekm_rc second_vault_run(struct call *call, const struct vault *first, bool may_probe,
                             second_vault_step step, void *context)
{
    struct call_error former = {.rc = EKM_OK};
    if (first->spare == NULL) {
        return step(call, first, context);
    }
    enum turn turn = second_vault_begin(first->spare, may_probe);
    if (turn != SECOND) {
        second_vault_limit(call, first->spare, turn);
        enum ekm_rc rc = step(call, first, context);
        memset(&call->patience, 0, sizeof call->patience);
        if (!second_vault_end(call, first->spare, turn, rc)) {
            return rc;
        }
        former = call->error;
    }
    enum ekm_rc rc = second_vault_ask(call, first, step, context);
    if (rc == EKM_OK || rc == EKM_CLOSING || rc == EKM_OUT_OF_MEMORY) {
        return rc;
    }
    return second_vault_ask_first_again(call, first, &former, step, context);
}

void second_vault_ask_too(struct call *call, const struct vault *first, uint64_t most_ms,
                          second_vault_step step, void *context)
{
    struct vault second;
    struct call before = *call;
    if (first->spare == NULL || call_remaining_ms(call) == 0) {
        return;
    }
    second_vault_of(first, &second);
    (void)text_copy(call->vault, sizeof call->vault, second.address.host);
    uint64_t end_ms = plat_now_ms() + most_ms;
    call->deadline_ms = end_ms < call->deadline_ms ? end_ms : call->deadline_ms;
    enum ekm_rc rc = step(call, &second, context);
    if (rc != EKM_OK) {
        call_log(call, LEVEL_INFO, "warning: this key cannot be opened by the second vault: %d %s",
                 (int)ekm_code(rc), call->error.note);
    }
    before.tries = call->tries;
    *call = before;
}

void second_vault_explain(struct call *call, const struct vault *first, enum ekm_rc rc)
{
    char note[400];
    if (first->spare != NULL && call->error.at_vault && vault_status_is_outage(&call->error, rc)) {
        (void)text_format(
            note, sizeof note,
            "the second vault %s opens keys only: none is wrapped, made or looked up there",
            first->spare->second.host);
        call_add_note(call, note);
    }
}
