/* Responses of Entra, and a vault's reasons for a refusal: only text that is valid in a header or a
 * log line comes out. */
#include "fuzz.h"

// aims: src/vault/json.c src/vault/wire.c

#include <string.h>

#include "base/text.h"
#include "vault/wire.h"

static void read_token(const struct buf *body)
{
    struct call *call = fuzz_call();
    struct buf token = BUF_EMPTY(16384);
    struct wire_token facts;
    enum ekm_rc rc = wire_read_token(call, body, &token, &facts);
    if (rc == EKM_OK) {
        FUZZ_CHECK(call->error.rc == EKM_OK && token.len > 0);
        for (size_t i = 0; i < token.len; i++) {
            FUZZ_CHECK(token.data[i] > ' ' && token.data[i] <= '~');
        }
        FUZZ_CHECK(facts.expires_in_s <= INT64_MAX && facts.refresh_in_s <= INT64_MAX);
    } else {
        FUZZ_CHECK(token.len == 0);
        FUZZ_CHECK_ONE_OF(call, rc, EKM_TOKEN_NOT_JSON, EKM_TOKEN_MISSING);
    }
    buf_free(&token);
}

static bool is_ended(const char *text, size_t cap)
{
    return memchr(text, 0, cap) != NULL;
}

static void read_refusals(const struct buf *body)
{
    struct call *call = fuzz_call();
    char word[48];
    memset(word, 'x', sizeof word);
    wire_read_token_error(call, body, word, sizeof word);
    FUZZ_CHECK(is_ended(word, sizeof word));
    FUZZ_CHECK(word[0] == '\0' || text_is_name(word, "_", sizeof word - 1));
    bool is_own = false;
    wire_read_error(call, body, &is_own);
    FUZZ_CHECK(is_own || call->error.azure_code[0] == '\0');
    FUZZ_CHECK(call->error.rc == EKM_OK);
    FUZZ_CHECK(is_ended(call->error.azure_code, sizeof call->error.azure_code));
    FUZZ_CHECK(is_ended(call->error.inner_code, sizeof call->error.inner_code));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf body;
    fuzz_body(&body, data, size);
    read_token(&body);
    read_refusals(&body);
    buf_free(&body);
    return 0;
}
