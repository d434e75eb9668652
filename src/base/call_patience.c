#include "base/call_patience.h"

#include <stddef.h>

#include "platform/system.h"

void call_patience_begin(struct call_patience *patience)
{
    patience->is_active = patience->watch != NULL;
    if (patience->is_active) {
        patience->from_ms = plat_now_ms() - patience->silent_ms;
    }
}

static uint64_t call_patience_silence_ms(const struct call_patience *patience, uint64_t now_ms)
{
    uint64_t response_ms = atomic_load(&patience->watch->response_ms);
    uint64_t since_ms = response_ms > patience->from_ms ? response_ms : patience->from_ms;
    return now_ms > since_ms ? now_ms - since_ms : 0;
}

void call_patience_end(struct call_patience *patience)
{
    if (patience->is_active) {
        patience->silent_ms = call_patience_silence_ms(patience, plat_now_ms());
        patience->is_active = false;
    }
}

void call_patience_note_response(const struct call_patience *patience)
{
    if (patience->is_active) {
        atomic_store(&patience->watch->response_ms, plat_now_ms());
    }
}

bool call_patience_is_over(const struct call_patience *patience)
{
    if (!patience->is_active) {
        return false;
    }
    uint64_t now_ms = plat_now_ms();
    bool is_down = !patience->is_probe && atomic_load(&patience->watch->is_down);
    return is_down || now_ms >= patience->end_ms ||
           call_patience_silence_ms(patience, now_ms) >= CALL_SILENCE_MS;
}
