#include "vault/token_slot.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/text.h"
#include "platform/system.h"

#define EARLY_MOST_MS  300000 /* renewed at most this long before the end */
#define LIFE_MOST_S    86400
#define LIFE_UNKNOWN_S 60
#define LONG_LIFE_MS   7200000

const char *token_header(const struct token *token)
{
    return token->header;
}

void token_release(struct token *token)
{
    if (token != NULL && atomic_fetch_sub(&token->references, 1) == 1) {
        plat_wipe(token, token->size);
        free(token);
    }
}

struct token *token_hold(struct token *token)
{
    atomic_fetch_add(&token->references, 1);
    return token;
}

/* The time from the token's issue until its renewal. The service's refresh_in counts, if there is
 * one. Otherwise a long-lived token is renewed after half of its life, unless a client secret gave
 * it, and any other token after four fifths. But the renewal is always before the last fifth of the
 * life, or before the last five minutes if these are shorter. */
static uint64_t token_renew_after_ms(const struct token_value *value, uint64_t life_ms,
                                     enum sign_in_form form)
{
    uint64_t early_ms = life_ms / 5 < EARLY_MOST_MS ? life_ms / 5 : EARLY_MOST_MS;
    uint64_t last_ms = life_ms - early_ms, refresh_ms = value->refresh_s * 1000;
    if (refresh_ms > 0 && refresh_ms < last_ms) {
        return refresh_ms;
    }
    return form != SIGN_IN_SECRET && refresh_ms == 0 && life_ms > LONG_LIFE_MS ? life_ms / 2
                                                                               : last_ms;
}

struct token *token_make(const struct token_value *value, uint64_t issued_ms,
                         enum sign_in_form form)
{
    const char *const parts[] = {TOKEN_HEADER, buf_text(&value->text), NULL};
    size_t room = sizeof TOKEN_HEADER + value->text.len;
    size_t size = offsetof(struct token, header) + room;
    struct token *token = malloc(size);
    if (token == NULL) {
        return NULL;
    }
    uint64_t life_s = value->life_s == 0            ? LIFE_UNKNOWN_S
                      : value->life_s > LIFE_MOST_S ? LIFE_MOST_S
                                                    : value->life_s;
    atomic_init(&token->references, 1);
    token->made_ms = plat_now_ms();
    token->expires_ms = issued_ms + life_s * 1000;
    token->renew_ms = issued_ms + token_renew_after_ms(value, life_s * 1000, form);
    token->size = size;
    (void)text_join(token->header, room, parts);
    return token;
}

bool token_is_refusal(enum ekm_rc rc)
{
    switch (rc) {
    case EKM_BAD_CREDENTIALS:
    case EKM_IDENTITY_REFUSED:
    case EKM_IDENTITY_OTHER:
    case EKM_ARC_ATTACK:
    case EKM_FEDERATED_NONE:
    case EKM_FEDERATED_ISSUER:
    case EKM_FEDERATED_AUDIENCE:
    case EKM_FEDERATED_SUBJECT:
        return true;
    default:
        return false;
    }
}
