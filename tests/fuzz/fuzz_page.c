/* A page of a list: every item is a key of this vault, a visitor that ends it sees nothing more. */
#include "fuzz.h"

// aims: src/vault/json.c src/vault/wire_key.c

#include <string.h>

#include "base/text.h"
#include "vault/wire.h"

struct visits {
    unsigned left, seen;
    bool ended;
};

static bool page_visit(void *context, const struct vault_key *key)
{
    struct visits *visits = context;
    FUZZ_CHECK(!visits->ended);
    FUZZ_CHECK(text_is_name(key->id.name, "-", KEY_NAME_MAX));
    FUZZ_CHECK(key->id.version[0] == '\0' || text_is_name(key->id.version, "-", KEY_VERSION_MAX));
    FUZZ_CHECK(!key->is_rsa && !key->usable_size && key->public.bits == 0);
    visits->seen++;
    visits->ended = visits->seen > visits->left;
    return !visits->ended;
}

/* The first byte: after how many items the visitor has enough. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct call *call = fuzz_call();
    struct buf body, next = BUF_EMPTY(8192);
    struct visits visits = {.left = fuzz_byte(&input)};
    fuzz_body(&body, input.at, input.left);
    FUZZ_CHECK(buf_append_text(&next, "of the page before") == EKM_OK);
    enum ekm_rc rc = wire_read_page(call, FUZZ_HOST, &body, page_visit, &visits, &next);
    if (rc == EKM_OK) {
        FUZZ_CHECK(call->error.rc == EKM_OK);
        FUZZ_CHECK(!visits.ended || next.len == 0);
        FUZZ_CHECK(strlen(buf_text(&next)) == next.len);
    } else {
        /* Nothing was read, or an item or the link is odd. */
        FUZZ_CHECK(rc != EKM_KEY_NOT_JSON || next.len == 0 ||
                   strcmp(buf_text(&next), "of the page before") == 0);
        FUZZ_CHECK(strlen(buf_text(&next)) == next.len);
        FUZZ_CHECK_ONE_OF(call, rc, EKM_KEY_NOT_JSON, EKM_KEY_NO_ID, EKM_KEY_BAD_ID, EKM_OTHER_KEY);
    }
    buf_free(&next);
    buf_free(&body);
    return 0;
}
