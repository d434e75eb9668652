/*
 * Tells in time of a key that ends, whenever it is used.
 *
 * Owns nothing: what was told of is vault/expiry.h, when to look is keymap/keycache.h. Any thread,
 * with a session. Rules: specification.md section 9.
 */
#ifndef AKVEKM_PROVIDER_KEY_END_H
#define AKVEKM_PROVIDER_KEY_END_H

#include "provider/key_lookup.h"

/* After Encrypt or Decrypt. Now and then it asks the vault for the key's attributes; the call goes
 * on whatever comes of that. */
void key_end_note_use(struct call *call, const struct key_lookup *lookup);
/* What the vault has just said. */
void key_end_note(struct call *call, const struct vault *vault, const struct key_id *id,
                  int64_t expires_s);

#endif
