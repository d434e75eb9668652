/*
 * Warns in time before a key that is in use expires.
 *
 * Owns nothing: vault/expiry.h remembers what it warned of, keymap/keycache.h when it looked at a
 * key. Any thread, with a session. Rules: specification.md section 9.
 */
#ifndef AKVEKM_PROVIDER_KEY_END_H
#define AKVEKM_PROVIDER_KEY_END_H

#include "provider/key_lookup.h"

/* After Encrypt or Decrypt. Now and then it asks the vault for the key's attributes; a failure of
 * that request does not fail the call. */
void key_end_note_use(struct call *call, const struct key_lookup *lookup);
/* For a key whose attributes the vault has just returned. */
void key_end_note(struct call *call, const struct vault *vault, const struct key_id *id,
                  int64_t expires_s);

#endif
