#include "net/http.h"

#include <string.h>

#include "base/text.h"
#include "net/curl_library.h"
#include "net/hedge.h"
#include "net/http_easy.h"
#include "net/http_hedge.h"
#include "net/http_pool.h"
#include "net/http_send.h"
#include "net/proxy.h"
#include "net/system_proxy.h"
#include "net/throttle.h"
#include "net/tls_resume.h"
#include "net/trust_store.h"
#include "platform/system.h"
#include "platform/thread.h"

#ifndef AKVEKM_VERSION
#define AKVEKM_VERSION "unknown"
#endif

#define IDLE_MS 10000 /* unused for so long, a connection may be dead */

static struct http_client client;

/* Whether the server behind this handle's connections may be dead or broken. No other request
 * should use them then. */
static bool http_item_is_doubtful(const struct http_item *item)
{
    long status = item->response->status;
    if (item->rc != EKM_OK) {
        return item->rc == EKM_DEADLINE || ekm_retryable(item->rc);
    }
    /* A response that is not JSON comes from a device on the way. */
    bool is_page = status >= 300 && status != 401 && status != 429 &&
                   strstr(item->response->content_type, "json") == NULL;
    return status >= 500 || status == 408 || is_page;
}

/* Drops the connections in two cases: the request is a retry, which must not use a connection to a
 * server that failed; or other connections of the same age were found dead. */
static void http_drop_connections(struct http_batch *batch)
{
    bool anew = hedge_suspects(batch->items[0].request->host, batch->proven_ms);
    for (size_t i = 0; i < batch->count; i++) {
        anew = anew || batch->items[i].request->new_connection;
    }
    if (anew) {
        http_pool_drop_connections(batch->handle);
    }
}

static void http_finish_item(struct http_batch *batch, size_t slot, CURLcode result)
{
    struct http_easy *easy = &batch->handle->easies[slot];
    struct http_item *item = batch->slots[slot].item;
    call_clear_error(batch->call);
    item->rc = http_easy_end(easy, result);
    item->error = batch->call->error;
    http_hedge_note(batch, easy, item->request, item->response, item->rc);
    if (http_item_is_doubtful(item)) {
        batch->handle->doubted = true;
        http_trial_doubt(&easy->trial);
    }
    batch->slots[slot].item = NULL;
    batch->under_way--;
}

/* Gives the next item to an idle easy handle. If it cannot begin, its outcome is known at once. */
static void begin_next(struct http_batch *batch, size_t slot)
{
    struct http_easy *easy = &batch->handle->easies[slot];
    struct http_item *item = &batch->items[batch->next++];
    batch->slots[slot] = (struct http_slot){.item = item};
    batch->under_way++;
    easy->alone = batch->count == 1;
    if (!http_easy_begin(easy, batch->handle->multi, batch->call, item->request, item->response)) {
        http_finish_item(batch, slot, CURLE_OK);
    }
}

/* Begins as many items as may be in flight. The handle gets more easy handles while there is memory
 * for them. */
static void begin_all(struct http_batch *batch)
{
    for (size_t i = 0; i < HTTP_AT_ONCE && batch->next < batch->count; i++) {
        struct http_easy *easy = &batch->handle->easies[i];
        while (batch->slots[i].item == NULL && batch->next < batch->count &&
               (easy->curl != NULL || http_easy_open(easy, &client))) {
            begin_next(batch, i);
        }
    }
}

/* `is_last`: this result is the item's outcome, even if copies of the request are in flight. */
static void take_out(struct http_batch *batch, size_t slot, CURLcode result, bool is_last)
{
    CURLM *multi = batch->handle->multi;
    struct http_easy *easy = &batch->handle->easies[slot];
    (void)curl_multi_remove_handle(multi, easy->curl);
    if (http_easy_goes_again(easy, result) &&
        curl_multi_add_handle(multi, easy->curl) == CURLM_OK) {
        return;
    }
    if (batch->slots[slot].item->copies == NULL) {
        http_finish_item(batch, slot, result);
    } else {
        call_clear_error(batch->call);
        batch->under_way -= http_hedge_end(batch, slot, result, is_last);
    }
}

static void take_finished(struct http_batch *batch)
{
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(batch->handle->multi, &left)) != NULL;) {
        char *easy = NULL;
        CURLcode result = message->data.result;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &easy);
        take_out(batch, (size_t)((struct http_easy *)(void *)easy - batch->handle->easies), result,
                 false);
    }
}

/* Ends all requests in flight with this result; with `vault_alone` only those to the vault. */
static void http_give_up(struct http_batch *batch, CURLcode result, bool vault_alone)
{
    for (size_t i = 0; i < HTTP_EASIES; i++) {
        const struct http_item *item = batch->slots[i].item;
        if (item != NULL && !(vault_alone && (item->request->to_entra || item->request->local))) {
            take_out(batch, i, result, true);
        }
    }
}

/* Wipes sent requests at once, before curl's next allocations reuse the blocks that it freed. */
static void http_wipe_sent(struct http_batch *batch)
{
    for (size_t i = 0; i < HTTP_EASIES; i++) {
        if (batch->slots[i].item != NULL) {
            http_send_wipe(&batch->handle->easies[i]);
        }
    }
}

/* Checks for an abort here and not in curl's progress function: curl calls that only now and then,
 * and newer versions never call it while a connection is made. */
static void http_run_batch(struct http_batch *batch)
{
    CURLM *multi = batch->handle->multi;
    int running = 0;
    for (begin_all(batch); batch->under_way > 0; begin_all(batch)) {
        CURLMcode code = curl_multi_perform(multi, &running);
        size_t before = batch->under_way;
        http_wipe_sent(batch);
        take_finished(batch);
        if (code == CURLM_OK && before == batch->under_way) {
            code =
                curl_multi_poll(multi, NULL, 0, (int)http_hedge_look(batch, CALL_SLICE_MS), NULL);
        }
        if (code != CURLM_OK) { /* only a lack of memory breaks a multi handle */
            http_give_up(batch, CURLE_OUT_OF_MEMORY, false);
        } else if (call_aborted(batch->call)) {
            http_give_up(batch, CURLE_ABORTED_BY_CALLBACK, false);
        } else if (call_patience_is_over(&batch->call->patience)) {
            http_give_up(batch, CURLE_OPERATION_TIMEDOUT, true);
        }
    }
}

/* Whether the host refused another request while this one waited for the handle. The host would
 * refuse this one as well, so it is not sent: its outcome is EKM_OK with status 0. */
static bool http_lost_turn(const struct http_batch *batch)
{
    const struct http_request *request = batch->items[0].request;
    bool lost = batch->count == 1 && request->pass != NULL &&
                !throttle_stands(request->host, request->pass);
    if (lost) {
        http_response_free(batch->items[0].response);
        batch->items[0].rc = EKM_OK;
    }
    return lost;
}

enum ekm_rc http_perform_all(struct call *call, struct http_item *items, size_t count)
{
    struct http_batch batch = {.call = call, .items = items, .count = count};
    const struct call_error error = call->error;
    struct plat_signals signals;
    if (count == 0) {
        return EKM_OK;
    }
    enum ekm_rc rc = http_pool_take(call, items[0].request->host, &batch.handle);
    if (rc != EKM_OK) {
        return rc;
    }
    if (http_lost_turn(&batch)) {
        http_pool_give(batch.handle);
        return EKM_OK;
    }
    signals.held = false;
    if (client.may_signal) {
        plat_signals_hold(&signals);
    }
    batch.proven_ms = batch.handle->proven_ms;
    batch.idle = batch.proven_ms != 0 && plat_now_ms() - batch.proven_ms >= IDLE_MS;
    batch.handle->has_several = batch.handle->has_several || count > 1;
    http_drop_connections(&batch);
    http_run_batch(&batch);
    for (size_t i = 1; i < HTTP_EASIES; i++) {
        if (batch.handle->easies[i].curl != NULL) {
            http_easy_close(&batch.handle->easies[i]);
        }
    }
    http_pool_give(batch.handle);
    plat_signals_release(&signals);
    call->error = error;
    return EKM_OK;
}

enum ekm_rc http_perform(struct call *call, const struct http_request *request,
                         struct http_response *response)
{
    struct http_item item = {.request = request, .response = response};
    enum ekm_rc rc = http_perform_all(call, &item, 1);
    if (rc != EKM_OK) {
        return rc;
    }
    if (item.rc != EKM_OK) {
        call->error = item.error;
    }
    return item.rc;
}

static enum ekm_rc make_client(const struct config *config)
{
    char os[160];
    client.config = config;
    atomic_store(&client.names_doubted_ms, 0);
    client.may_signal = curl_library_may_signal();
    plat_os_name(os, sizeof os);
    (void)text_format(client.user_agent, sizeof client.user_agent, "akv-ekm/%s (%s%s%s)",
                      AKVEKM_VERSION, os, config->instance_tag[0] != '\0' ? "; " : "",
                      config->instance_tag);
    for (size_t i = 0; i < config->connect_to.count; i++) {
        struct curl_slist *longer =
            curl_slist_append(client.connect_to, config->connect_to.items[i]);
        if (longer == NULL) {
            return EKM_OUT_OF_MEMORY;
        }
        client.connect_to = longer;
    }
    return EKM_OK;
}

enum ekm_rc http_start(const struct config *config, char *reason, size_t reason_cap)
{
    (void)text_copy(reason, reason_cap, "");
    if (!curl_library_start()) {
        return EKM_OUT_OF_MEMORY;
    }
    proxy_start(config);
    tls_resume_start();
    enum ekm_rc rc = curl_library_check(reason, reason_cap);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = trust_store_start(config, reason, reason_cap);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = make_client(config);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = http_pool_start(&client);
out:
    if (rc != EKM_OK) {
        http_stop();
    }
    return rc;
}

void http_stop(void)
{
    struct plat_signals signals;
    plat_signals_hold(&signals);
    http_pool_stop();
    plat_signals_release(&signals);
    curl_slist_free_all(client.connect_to);
    client.connect_to = NULL;
    client.config = NULL;
    tls_resume_stop();
    trust_store_stop();
    system_proxy_forget();
    http_doubt_reset();
    proxy_stop();
    curl_global_cleanup();
}
