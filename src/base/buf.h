/*
 * The one growing type: bytes with a mandatory maximum. All content counts as secret.
 *
 * To grow, it allocates, copies and wipes the old block; clear and free wipe. A zero byte that does
 * not count always follows the content. A buffer belongs to one thread at a time. Declare it with
 * BUF_EMPTY; free accepts an empty one. One that is declared with BUF_OVER uses an array and never
 * allocates; wipe it at the end instead of freeing it.
 */
#ifndef AKVEKM_BASE_BUF_H
#define AKVEKM_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
    uint8_t *data; /* NULL until something is written */
    size_t len, cap, max;
};

/* clang-format off */
#define BUF_EMPTY(max_bytes) { NULL, 0, 0, (max_bytes) }
#define BUF_OVER(array) { (array), 0, sizeof(array), sizeof(array) - 1 }
/* clang-format on */

/* All of these return EKM_OUT_OF_MEMORY, or EKM_ANSWER_TOO_BIG beyond the maximum. On failure the
 * content is unchanged. */
enum ekm_rc buf_append(struct buf *buf, const void *data, size_t len) EKM_MUST_CHECK;
enum ekm_rc buf_append_text(struct buf *buf, const char *text) EKM_MUST_CHECK;
enum ekm_rc buf_append_format(struct buf *buf, const char *format, ...) EKM_MUST_CHECK
    EKM_PRINTF(2, 3);
/* Makes room for `len` more bytes at data + buf->len. The caller writes there and adds to
 * buf->len. */
enum ekm_rc buf_reserve(struct buf *buf, size_t len) EKM_MUST_CHECK;

/* The content as a terminated string, never NULL. */
const char *buf_text(const struct buf *buf);
void buf_clear(struct buf *buf); /* wipes the content, keeps the memory */
void buf_free(struct buf *buf);  /* wipes and frees; empty again, with the same maximum */

#endif
