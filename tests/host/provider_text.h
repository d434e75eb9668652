/*
 * Text at the provider interface: UTF-8 in ekmhost, counted UTF-16LE in the interface. No state,
 * any thread.
 *
 * The text of provider_text_make may be a secret; provider_text_wipe wipes it.
 */
#ifndef EKMHOST_PROVIDER_TEXT_H
#define EKMHOST_PROVIDER_TEXT_H

#include <stddef.h>

#include <akvekm/sqlcrypt.h>

void provider_text_make(SqlCpStr *out, const char *utf8);
void provider_text_wipe(SqlCpStr *text);
/* The count is `text->cb`, the units are `units` (our own buffer, never a pointer the provider put
 * there); NULL: empty. */
void provider_text_copy(const SqlCpStr *text, const uint16_t *units, char *out, size_t cap);

#endif
