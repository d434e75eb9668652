#include "provider/key_end.h"

#include "platform/system.h"
#include "vault/expiry.h"

#define LOOK_MAX_MS 2000

void key_end_note(struct call *call, const struct vault *vault, const struct key_id *id,
                  int64_t expires_s)
{
    char what[KEY_URI_MAX + 1];
    if (expires_s != 0 && key_uri_format(what, sizeof what, vault->address.host, id)) {
        expiry_note(call, EXPIRY_KEY, what, expires_s);
    }
}

/* The map holds no attributes, and attributes change. Asking for them would delay the start of SQL
 * Server, so a key in use is looked at later, for LOOK_MAX_MS at most. Returns when it expires. */
static int64_t key_end_look(struct call *call, const struct key_lookup *lookup)
{
    struct key_lookup now = *lookup;
    const struct call before = *call;
    uint64_t end_ms = plat_now_ms() + LOOK_MAX_MS;
    call->deadline_ms = end_ms < call->deadline_ms ? end_ms : call->deadline_ms;
    enum ekm_rc rc = key_lookup_find_public(call, &now, 0);
    call_log(call, LEVEL_DEBUG, "looked whether the key ends: %s", ekm_text(rc));
    unsigned tries = call->tries;
    *call = before;
    call->tries = tries;
    return rc == EKM_OK ? now.key.expires_s : lookup->key.expires_s;
}

void key_end_note_use(struct call *call, const struct key_lookup *lookup)
{
    int64_t expires_s = lookup->key.expires_s;
    if (keycache_take_look(lookup->vault->address.host, &lookup->thumbprint)) {
        expires_s = key_end_look(call, lookup);
    }
    key_end_note(call, lookup->vault, &lookup->key.id, expires_s);
}
