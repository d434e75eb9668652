/*
 * The one growing type: bytes with a mandatory maximum, all of it treated as secret.
 *
 * Growth allocates, copies and wipes the old; clear and free wipe. The content is always followed
 * by a zero byte that does not count. A buffer belongs to one thread at a time. Declare with
 * BUF_EMPTY; free takes an empty one. One that is declared with BUF_OVER lives in an array and
 * never allocates: it is wiped in the end, not freed.
 */
#ifndef AKVEKM_BASE_BUF_H
#define AKVEKM_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
    uint8_t *data; /* NULL while nothing was written */
    size_t len, cap, max;
};

/* clang-format off */
#define BUF_EMPTY(max_bytes) { NULL, 0, 0, (max_bytes) }
#define BUF_OVER(array) { (array), 0, sizeof(array), sizeof(array) - 1 }
/* clang-format on */

/* All of them: EKM_OUT_OF_MEMORY, or EKM_ANSWER_TOO_BIG past the maximum; the content then stays as
 * it was. */
enum ekm_rc buf_append(struct buf *buf, const void *data, size_t len) EKM_MUST_CHECK;
enum ekm_rc buf_append_text(struct buf *buf, const char *text) EKM_MUST_CHECK;
enum ekm_rc buf_append_format(struct buf *buf, const char *format, ...) EKM_MUST_CHECK
    EKM_PRINTF(2, 3);
/* Room for `len` more bytes at data + buf->len; the caller adds to buf->len what it wrote there. */
enum ekm_rc buf_reserve(struct buf *buf, size_t len) EKM_MUST_CHECK;

/* Never NULL: the content as a terminated string. */
const char *buf_text(const struct buf *buf);
void buf_clear(struct buf *buf); /* wipes, keeps the memory */
void buf_free(struct buf *buf);  /* wipes, empty again, same maximum */

#endif
