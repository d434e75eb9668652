#include "net/http_hedge.h"

#include "net/hedge.h"
#include "net/http_copies.h"
#include "platform/system.h"

#define BEGUN_MS  500  /* more time for a response that makes progress */
#define BEGUN_LEN 1024 /* less than that in that time is none */
#define SILENT_MS (CALL_SILENCE_MS / 2)
#define AGAIN_MS  20 /* the shortest pause before asking for a copy again; later pauses grow */
#define LOOK_MS   50 /* for an unknown host: other calls may learn its times meanwhile */
#define NEVER     UINT64_MAX

/* The time that lateness counts from: when the request was sent, else when its connection was
 * begun. 0: the name lookup still runs, and a second request would wait for it as well. */
static uint64_t http_hedge_event(const struct http_easy *easy, enum hedge_wait *wait)
{
    if (easy->sent_ms != 0) {
        *wait = easy->request->method == HTTP_POST ? HEDGE_POST : HEDGE_GET;
        return easy->sent_ms;
    }
    *wait = HEDGE_CONNECT;
    return easy->has_connected ? easy->opened_ms : 0;
}

/* Returns when the response is late; 0: not known yet. *look_ms is when to look again, which is
 * sooner if the host's times are not known. */
static uint64_t http_hedge_late_ms(const struct http_batch *batch, size_t slot, uint64_t now_ms,
                                   uint64_t *look_ms)
{
    const struct http_easy *easy = &batch->handle->easies[slot];
    enum hedge_wait wait;
    bool known = true;
    uint64_t late_ms = http_hedge_event(easy, &wait);
    if (late_ms != 0) {
        uint64_t most_ms = hedge_patience_ms(batch->slots[slot].item->request->host, wait,
                                             batch->idle && !easy->has_connected, &known);
        /* Else one lost response would be the silence after which the second vault is asked. */
        bool is_capped = !known && batch->call->patience.is_active && most_ms > SILENT_MS;
        late_ms += is_capped ? SILENT_MS : most_ms;
    }
    *look_ms = known || late_ms < now_ms + LOOK_MS ? late_ms : now_ms + LOOK_MS;
    return late_ms;
}

static void http_hedge_forget_slot(struct http_batch *batch, size_t slot)
{
    batch->slots[slot] = (struct http_slot){.item = NULL};
}

/* A host may have several addresses: the copy goes to another one, if it can. */
static void http_hedge_part_ways(struct http_batch *batch, const struct http_item *item,
                                 struct http_easy *copy)
{
    for (size_t i = 0; i < HTTP_EASIES; i++) {
        if (batch->slots[i].item == item) {
            http_trial_avoid(&copy->trial, &batch->handle->easies[i].trial);
        }
    }
}

/* Begins the item's next copy with the easy handle of this slot. */
static bool http_hedge_begin(struct http_batch *batch, struct http_item *item, size_t slot,
                             uint64_t until_ms)
{
    struct http_copies *copies = item->copies;
    struct http_easy *easy = &batch->handle->easies[slot];
    struct http_request *request = &copies->requests[copies->asked];
    *request = *item->request;
    request->until_ms = until_ms;
    request->pass = &copies->pass;
    easy->alone = false;
    if (!http_message_rewrite(batch->call, request, &copies->bodies[copies->asked])) {
        return false;
    }
    if (!http_easy_begin(easy, batch->handle->multi, batch->call, request,
                         &copies->responses[copies->asked])) {
        http_easy_forget(easy);
        return false;
    }
    http_hedge_part_ways(batch, item, easy);
    copies->asked++;
    copies->under_way++;
    batch->slots[slot].item = item;
    return true;
}

/* Returns the slot of an idle, open easy handle. HTTP_EASIES: there is none. */
static size_t http_hedge_find_easy(struct http_batch *batch)
{
    for (size_t i = HTTP_AT_ONCE; i < HTTP_EASIES; i++) {
        struct http_easy *easy = &batch->handle->easies[i];
        if (batch->slots[i].item == NULL &&
            (easy->curl != NULL || http_easy_open(easy, batch->handle->easies[0].client))) {
            return i;
        }
    }
    return HTTP_EASIES;
}

static bool http_hedge_ask(struct http_batch *batch, size_t late, uint64_t now_ms)
{
    const struct http_easy *easy = &batch->handle->easies[late];
    struct http_item *item = batch->slots[late].item;
    const struct hedge_late what = {!easy->has_connected, batch->proven_ms, now_ms};
    struct throttle_pass pass;
    size_t slot = http_hedge_find_easy(batch);
    if (slot == HTTP_EASIES || !hedge_allow(item->request->host, &what, &pass)) {
        return false;
    }
    if (item->copies == NULL && !http_copies_make(item)) {
        return false;
    }
    item->copies->pass = pass;
    /* Also after a failure: each attempt may take time and uses the budget up. */
    batch->slots[late].passed = true;
    if (!http_hedge_begin(batch, item, slot, easy->until_ms)) {
        if (item->copies->asked == 0) {
            http_copies_free(item);
        }
        return false;
    }
    if (item->copies->asked == 1) {
        item->copies->asked_ms = now_ms;
    }
    return true;
}

/* How much of the response has arrived; 0: not a line. curl's time of the first byte does not show
 * it: for a body that curl reads from a callback that is the time of the first byte sent. */
static size_t http_hedge_progress(const struct http_easy *easy)
{
    return easy->header_len + easy->response->body.len;
}

/* Checks again whether the response is late: the host may have become slower meanwhile. Returns
 * when to look again. */
static uint64_t http_hedge_look_late(struct http_batch *batch, size_t slot, uint64_t now_ms,
                                     uint64_t slice_ms)
{
    const struct http_easy *easy = &batch->handle->easies[slot];
    const struct http_item *item = batch->slots[slot].item;
    uint64_t look_ms = 0, late_ms = http_hedge_late_ms(batch, slot, now_ms, &look_ms);
    if (late_ms > now_ms) {
        return look_ms;
    }
    if (easy->until_ms <= now_ms || (item->copies != NULL && item->copies->asked == HTTP_COPIES)) {
        return NEVER;
    }
    size_t progress = http_hedge_progress(easy);
    size_t before = batch->slots[slot].progress;
    if (before == 0 ? progress > 0 : progress >= before + BEGUN_LEN) {
        batch->slots[slot].progress = progress;
        return now_ms + BEGUN_MS;
    }
    if (http_hedge_ask(batch, slot, now_ms)) {
        return now_ms; /* curl must begin the copy now */
    }
    uint64_t pause_ms = (now_ms - late_ms) / 2;
    pause_ms = pause_ms < slice_ms ? pause_ms : slice_ms;
    return now_ms + (pause_ms > AGAIN_MS ? pause_ms : AGAIN_MS);
}

static uint64_t http_hedge_look_at(struct http_batch *batch, size_t i, uint64_t now_ms,
                                   uint64_t slice_ms)
{
    struct http_slot *slot = &batch->slots[i];
    enum hedge_wait wait;
    uint64_t event_ms = http_hedge_event(&batch->handle->easies[i], &wait);
    if (event_ms == 0 || slot->passed) {
        return NEVER;
    }
    if (slot->seen_ms != event_ms) {
        slot->seen_ms = event_ms;
        (void)http_hedge_late_ms(batch, i, now_ms, &slot->look_ms);
    }
    if (slot->look_ms <= now_ms) {
        slot->look_ms = http_hedge_look_late(batch, i, now_ms, slice_ms);
    }
    return slot->look_ms;
}

static bool http_hedge_may(const struct http_item *item)
{
    return item != NULL && !item->request->once && item->request->method != HTTP_DELETE;
}

uint64_t http_hedge_look(struct http_batch *batch, uint64_t slice_ms)
{
    if (!batch->call->config->hedge) {
        return slice_ms;
    }
    uint64_t now_ms = plat_now_ms(), next_ms = now_ms + slice_ms;
    for (size_t i = 0; i < HTTP_EASIES; i++) {
        uint64_t late_ms = http_hedge_may(batch->slots[i].item)
                               ? http_hedge_look_at(batch, i, now_ms, slice_ms)
                               : NEVER;
        next_ms = late_ms < next_ms ? late_ms : next_ms;
    }
    return next_ms > now_ms ? next_ms - now_ms : 0;
}

static void http_hedge_drop(struct http_batch *batch, const struct http_item *item)
{
    for (size_t i = 0; i < HTTP_EASIES; i++) {
        if (batch->slots[i].item == item) {
            struct http_easy *easy = &batch->handle->easies[i];
            (void)curl_multi_remove_handle(batch->handle->multi, easy->curl);
            http_easy_forget(easy);
            http_hedge_forget_slot(batch, i);
        }
    }
}

/* Whether the first request is still in flight over a reused connection, and not a byte of its
 * response has arrived. */
static bool http_hedge_is_silent(const struct http_batch *batch, const struct http_item *item,
                                 uint64_t *sent_ms)
{
    for (size_t i = 0; i < HTTP_AT_ONCE; i++) {
        const struct http_easy *easy = &batch->handle->easies[i];
        if (batch->slots[i].item == item) {
            *sent_ms = easy->sent_ms;
            return easy->sent_ms != 0 && !easy->has_connected && easy->header_len == 0;
        }
    }
    return false;
}

/* Notes that a copy got a good response. Called before the other requests are given up. */
static void http_hedge_note_win(struct http_batch *batch, const struct http_item *item)
{
    struct hedge_win win = {.asked_ms = item->copies->asked_ms, .now_ms = plat_now_ms()};
    win.silent = http_hedge_is_silent(batch, item, &win.sent_ms);
    hedge_note_win(item->request->host, &win);
    /* The handle's other connections are as old as the silent one. */
    batch->handle->doubted = batch->handle->doubted || (win.silent && batch->handle->has_several);
    batch->call->hedge_won = true;
    call_log(batch->call, LEVEL_DEBUG, "%s is late: once more, and answered %llu ms after that",
             item->request->host, (unsigned long long)(win.now_ms - win.asked_ms));
}

/* Puts addresses in doubt to which the item's other requests have no connection yet: new
 * connections shall not wait for them as well. */
static void http_hedge_doubt(struct http_batch *batch, const struct http_item *item,
                             const struct http_easy *served)
{
    for (size_t i = 0; i < HTTP_EASIES; i++) {
        const struct http_easy *easy = &batch->handle->easies[i];
        if (batch->slots[i].item == item && easy->has_connected && easy->sent_ms == 0) {
            http_trial_doubt_beside(&served->trial, &easy->trial);
        }
    }
}

/* Other requests of the item are in flight: watches the newest one again after its usual time. */
static void http_hedge_go_on(struct http_batch *batch, const struct http_item *item)
{
    size_t i = HTTP_EASIES;
    while (i > 0 && batch->slots[i - 1].item != item) {
        i--;
    }
    if (i > 0) {
        struct http_slot *slot = &batch->slots[i - 1];
        enum hedge_wait wait;
        bool known;
        slot->seen_ms = http_hedge_event(&batch->handle->easies[i - 1], &wait);
        slot->look_ms = plat_now_ms() + hedge_patience_ms(item->request->host, wait, false, &known);
        slot->passed = false;
    }
}

/* All that is in flight for this item ends, and its best outcome is used. */
static bool http_hedge_settle(struct http_batch *batch, struct http_item *item)
{
    batch->call->hedged = true;
    http_hedge_drop(batch, item);
    http_copies_settle(batch->call, item);
    return true;
}

/* It came to nothing, and says nothing of the host that its connection leads to. */
static bool http_hedge_withhold(struct http_batch *batch, size_t slot)
{
    struct http_item *item = batch->slots[slot].item;
    http_easy_forget(&batch->handle->easies[slot]);
    http_hedge_forget_slot(batch, slot);
    item->copies->under_way--;
    return item->copies->under_way == 0 && http_hedge_settle(batch, item);
}

bool http_hedge_end(struct http_batch *batch, size_t slot, CURLcode result, bool is_last)
{
    struct http_easy *easy = &batch->handle->easies[slot];
    struct http_item *item = batch->slots[slot].item;
    struct http_response *response = easy->response;
    if (easy->withheld && !is_last) {
        return http_hedge_withhold(batch, slot);
    }
    enum ekm_rc rc = http_easy_end(easy, result);
    http_hedge_forget_slot(batch, slot);
    item->copies->under_way--;
    if (is_last) {
        http_copies_note_last(batch->call, item, response, rc);
        return http_hedge_settle(batch, item);
    }
    http_hedge_note(batch, easy, item->request, response, rc);
    enum http_rank rank = http_copies_note(batch->call, item, response, rc);
    if (rank == HTTP_RANK_GOOD && response != item->response) {
        http_hedge_note_win(batch, item);
        http_hedge_doubt(batch, item, easy);
    } else if (rank < HTTP_RANK_LIMIT) {
        batch->handle->doubted = true;
        http_trial_doubt(&easy->trial);
    }
    if (rank < HTTP_RANK_GOOD && item->copies->under_way > 0) {
        http_hedge_go_on(batch, item);
        return false;
    }
    return http_hedge_settle(batch, item);
}

void http_hedge_note(const struct http_batch *batch, const struct http_easy *easy,
                     const struct http_request *request, const struct http_response *response,
                     enum ekm_rc rc)
{
    if (rc != EKM_OK || easy->sent_ms == 0) {
        return;
    }
    struct http_handle *handle = batch->handle;
    if (easy->has_connected && easy->opened_ms > handle->opened_ms) {
        handle->opened_ms = easy->opened_ms;
    }
    const struct hedge_response answer = {.posted = request->method == HTTP_POST,
                                          .kept = !easy->has_connected,
                                          .status = response->status,
                                          .opened_ms = easy->has_connected ? easy->opened_ms
                                                                           : handle->opened_ms,
                                          .sent_ms = easy->sent_ms,
                                          .now_ms = plat_now_ms()};
    handle->proven_ms = answer.now_ms;
    hedge_note_response(request->host, &answer);
}
