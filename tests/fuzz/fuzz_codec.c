/* Base64, hex, URL escapes, numbers, UTF-16 and dates: what is read writes back as it was. */
#include "fuzz.h"

// aims: src/base/codec.c src/base/text.c src/base/buf.c src/net/backoff.c

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "net/backoff.h"

/* Read, written and read again; the first reading takes more spellings than are written. */
static void check_base64(const char *text, size_t len)
{
    struct buf bytes = BUF_EMPTY(1 << 20), written = BUF_EMPTY(1 << 20), again = BUF_EMPTY(1 << 20);
    enum ekm_rc rc = base64_decode(text, len, &bytes);
    if (rc == EKM_OK) {
        FUZZ_CHECK(base64url_encode(bytes.data, bytes.len, &written) == EKM_OK);
        FUZZ_CHECK(base64_decode(buf_text(&written), written.len, &again) == EKM_OK);
        FUZZ_CHECK(again.len == bytes.len);
        FUZZ_CHECK(bytes.len == 0 || memcmp(again.data, bytes.data, bytes.len) == 0);
        FUZZ_CHECK(written.len <= len && strpbrk(buf_text(&written), "+/=") == NULL);
    } else {
        FUZZ_CHECK(rc == EKM_INVALID_ARGUMENT && bytes.len == 0);
    }
    buf_free(&bytes);
    buf_free(&written);
    buf_free(&again);
}

static void check_encoders(const uint8_t *data, size_t len)
{
    struct buf text = BUF_EMPTY(1 << 20), back = BUF_EMPTY(1 << 20);
    char *hex = malloc(2 * len + 1);
    uint8_t *bytes = malloc(len + 1);
    FUZZ_CHECK(hex != NULL && bytes != NULL);
    hex_encode(data, len, hex);
    FUZZ_CHECK(strlen(hex) == 2 * len && hex_decode(hex, len, bytes));
    FUZZ_CHECK(len == 0 || memcmp(bytes, data, len) == 0);
    FUZZ_CHECK(base64url_encode(data, len, &text) == EKM_OK);
    FUZZ_CHECK(base64_decode(buf_text(&text), text.len, &back) == EKM_OK);
    FUZZ_CHECK(back.len == len && (len == 0 || memcmp(back.data, data, len) == 0));
    buf_clear(&text);
    FUZZ_CHECK(url_escape((const char *)data, len, &text) == EKM_OK);
    size_t used = 0;
    for (const char *at = buf_text(&text); *at != '\0'; at++) {
        bool escaped = *at == '%';
        FUZZ_CHECK(escaped || text_is_alnum(*at) || strchr("-._~", *at) != NULL);
        FUZZ_CHECK(used < len && (!escaped || hex_decode(at + 1, 1, &bytes[used])));
        FUZZ_CHECK(data[used] == (escaped ? bytes[used] : (uint8_t)*at));
        used++;
        at += escaped ? 2 : 0;
    }
    FUZZ_CHECK(used == len);
    free(hex);
    free(bytes);
    buf_free(&text);
    buf_free(&back);
}

static void check_number(const char *text)
{
    uint64_t number = 0, small = 0;
    bool digits = text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
    errno = 0;
    unsigned long long expected = strtoull(text, NULL, 10);
    bool fits = digits && errno == 0;
    FUZZ_CHECK(text_to_u64(text, UINT64_MAX, &number) == fits && (!fits || number == expected));
    FUZZ_CHECK(text_to_u64(text, 600000, &small) == (fits && expected <= 600000));
    FUZZ_CHECK(backoff_retry_after_ms(text, 1700000000000) <= 253402300800000);
}

static void check_utf16(const uint8_t *data, size_t size)
{
    size_t count = size / 2;
    uint16_t *units = calloc(count + 1, sizeof *units), *again = calloc(count + 1, sizeof *again);
    struct buf text = BUF_EMPTY(1 << 20);
    FUZZ_CHECK(units != NULL && again != NULL);
    if (count > 0) {
        memcpy(units, data, 2 * count);
    }
    if (text_from_utf16(units, count, &text) == EKM_OK) {
        FUZZ_CHECK(strlen(buf_text(&text)) == text.len && text.len <= 3 * count);
        FUZZ_CHECK(text_to_utf16(buf_text(&text), again, count) == count);
        FUZZ_CHECK(memcmp(units, again, 2 * count) == 0);
        FUZZ_CHECK(text_to_utf16(buf_text(&text), NULL, 0) == count);
    }
    free(units);
    free(again);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *text = fuzz_rest(&input);
    check_base64(text, size);
    check_encoders(data, size);
    check_number(text);
    check_utf16(data, size);
    free(text);
    return 0;
}
