/* An answer of wrapkey and unwrapkey, and the request's own body back again. */
#include "fuzz.h"

// aims: src/vault/json.c src/vault/wire.c src/base/codec.c

#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "vault/wire.h"

#define KID "https://" FUZZ_HOST "/keys/TdeKey/v1"

static void check_failure(const struct call *call, enum ekm_rc rc, enum wire_operation operation)
{
    if (operation == WIRE_WRAP) {
        FUZZ_CHECK_ONE_OF(call, rc, EKM_WRAP_BAD_VALUE, EKM_WRAP_NOT_JSON, EKM_WRAP_NO_VALUE,
                          EKM_WRAP_EMPTY, EKM_OTHER_KEY);
    } else {
        FUZZ_CHECK_ONE_OF(call, rc, EKM_UNWRAP_BAD_VALUE, EKM_UNWRAP_NOT_JSON, EKM_UNWRAP_NO_VALUE,
                          EKM_UNWRAP_EMPTY, EKM_OTHER_KEY);
    }
}

static void read_answer(enum wire_operation operation, const uint8_t *data, size_t size)
{
    struct call *call = fuzz_call();
    struct buf body, value = BUF_EMPTY(RSA_MAX_BYTES);
    struct key_id worker;
    fuzz_body(&body, data, size);
    enum ekm_rc rc = wire_read_operation(call, operation, FUZZ_HOST, &body, &worker, &value);
    if (rc == EKM_OK) {
        FUZZ_CHECK(call->error.rc == EKM_OK && value.len <= RSA_MAX_BYTES);
        FUZZ_CHECK(text_is_name(worker.name, "-", KEY_NAME_MAX));
    } else {
        FUZZ_CHECK(value.len == 0);
        check_failure(call, rc, operation);
    }
    buf_free(&value);
    buf_free(&body);
}

/* A vault that hands back what it was sent. */
static void check_round_trip(enum wire_operation operation, const uint8_t *data, size_t size)
{
    struct buf request = BUF_EMPTY(8192), answer = BUF_EMPTY(8192), value = BUF_EMPTY(4096);
    struct key_id worker;
    FUZZ_CHECK(wire_write_operation("RSA-OAEP-256", data, size, &request) == EKM_OK);
    FUZZ_CHECK(buf_append_format(&answer, "{\"kid\":\"" KID "\",%s", buf_text(&request) + 1) ==
               EKM_OK);
    enum ekm_rc rc =
        wire_read_operation(fuzz_call(), operation, FUZZ_HOST, &answer, &worker, &value);
    FUZZ_CHECK(rc == (size > 0                 ? EKM_OK
                      : operation == WIRE_WRAP ? EKM_WRAP_NO_VALUE
                                               : EKM_UNWRAP_NO_VALUE));
    FUZZ_CHECK(value.len == size && (size == 0 || memcmp(value.data, data, size) == 0));
    FUZZ_CHECK(rc != EKM_OK ||
               (strcmp(worker.name, "TdeKey") == 0 && strcmp(worker.version, "v1") == 0));
    buf_free(&request);
    buf_free(&answer);
    buf_free(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    enum wire_operation operation = fuzz_byte(&input) % 2 == 0 ? WIRE_WRAP : WIRE_UNWRAP;
    read_answer(operation, input.at, input.left);
    check_round_trip(operation, input.at, input.left < 2048 ? input.left : 2048);
    return 0;
}
