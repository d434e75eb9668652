/* Texts and thumbprints of the host, and the outputs: nothing beyond its sizes is touched, and an
 * accepted value reads back. */
#include "fuzz.h"

// aims: src/provider/marshal.c

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "provider/key_lookup.h"
#include "provider/marshal.h"

static struct config config;

static void check_name(const char *text, const struct key_id *key)
{
    char again[KEY_NAME_MAX + KEY_VERSION_MAX + 2], uri[KEY_URI_MAX + 1];
    struct key_id parsed;
    FUZZ_CHECK(strlen(key->name) <= config.max_key_name_length);
    FUZZ_CHECK(text_is_name(key->name, "-", KEY_NAME_MAX));
    FUZZ_CHECK(text_format(again, sizeof again, "%s%s%s", key->name,
                           key->version[0] != '\0' ? "/" : "", key->version));
    FUZZ_CHECK(strcmp(again, text) == 0);
    FUZZ_CHECK(key_uri_format(uri, sizeof uri, FUZZ_HOST, key));
    FUZZ_CHECK(key_uri_parse(uri, FUZZ_HOST, &parsed) && memcmp(&parsed, key, sizeof parsed) == 0);
}

static void put_back(struct fuzz_input *input, const char *name)
{
    uint16_t room = fuzz_byte(input);
    uint8_t thumb_room = fuzz_byte(input) % 40;
    struct thumbprint thumbprint = {.len = 20};
    SqlCpKeyInfo info = {{room, malloc(room > 0 ? room : 1)},
                         {thumb_room, malloc(thumb_room > 0 ? thumb_room : 1)},
                         7,
                         7};
    SqlCpKeyInfo given = info;
    enum ekm_rc rc = marshal_put_key(&info, name, &thumbprint, 1);
    FUZZ_CHECK(info.name.cb == 2 * strlen(name) && info.thumb.cb == 20);
    FUZZ_CHECK(rc == (room < info.name.cb || thumb_room < 20 ? EKM_INSUFFICIENT_BUFFER : EKM_OK));
    FUZZ_CHECK(info.name.ws == given.name.ws && info.thumb.pb == given.thumb.pb);
    FUZZ_CHECK(rc == EKM_OK ? info.algId == 1 : info.algId == 7 && info.flags == 7);
    free(given.name.ws);
    free(given.thumb.pb);
}

static void read_text(struct fuzz_input *input, const struct marshal_argument *argument)
{
    struct call call;
    struct buf text = BUF_EMPTY((size_t)2 * SQLCP_MAX_KEY_NAME_BYTES);
    size_t len;
    struct fuzz_input rest = *input;
    uint8_t *units = fuzz_bytes(input, input->left, &len);
    SqlCpStr given = {(uint32_t)len, (uint16_t *)(void *)units};
    call_begin(&call, "fuzz", &config);
    enum ekm_rc rc = marshal_text(&call, argument, &given, &text);
    if (rc != EKM_OK) {
        FUZZ_CHECK_ONE_OF(&call, rc, EKM_INVALID_ARGUMENT, argument->too_long, argument->broken);
        FUZZ_CHECK((rc == EKM_INVALID_ARGUMENT) == (len % 2 != 0) ||
                   argument->too_long == EKM_INVALID_ARGUMENT);
        goto out;
    }
    uint16_t again[SQLCP_MAX_KEY_NAME_BYTES / 2];
    FUZZ_CHECK(len % 2 == 0 && len <= argument->max_bytes && strlen(buf_text(&text)) == text.len);
    FUZZ_CHECK(text_to_utf16(buf_text(&text), again, sizeof again / 2) == len / 2);
    FUZZ_CHECK(len == 0 || memcmp(again, units, len) == 0);
    struct key_id key;
    rc = key_lookup_parse_name(&call, buf_text(&text), &key);
    if (rc == EKM_OK) {
        check_name(buf_text(&text), &key);
        put_back(&rest, key.name);
    } else {
        FUZZ_CHECK_ONE_OF(&call, rc, EKM_NAME_TOO_LONG, EKM_REQUEST_REFUSED);
    }
out:
    buf_free(&text);
    free(units);
}

static void read_thumbprint(const uint8_t *data, size_t size)
{
    struct call call;
    struct thumbprint read;
    SqlCpKeyThumbprint given = {(uint32_t)size, (uint8_t *)(uintptr_t)data};
    call_begin(&call, "fuzz", &config);
    enum ekm_rc rc = marshal_thumbprint(&call, &given, &read);
    FUZZ_CHECK((rc == EKM_OK) == (size >= 1 && size <= THUMBPRINT_MAX_BYTES));
    FUZZ_CHECK(rc != EKM_OK || (read.len == size && memcmp(read.bytes, data, size) == 0));
    FUZZ_CHECK(rc != EKM_OK || strlen(call.thumbprint) == 2 * size);
}

/* The first two bytes: the longest name that is set, and how much the host may give. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    config_defaults(&config);
    config.max_key_name_length = 1 + fuzz_byte(&input) % KEY_NAME_MAX;
    bool is_short = fuzz_byte(&input) % 2 != 0;
    read_thumbprint(input.at, input.left);
    const struct marshal_argument secret = {"secret", 64, EKM_INVALID_ARGUMENT,
                                            EKM_INVALID_ARGUMENT};
    read_text(&input, is_short ? &secret : &marshal_key_name);
    return 0;
}
