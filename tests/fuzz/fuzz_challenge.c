/* The header lines of a 401 and the challenge in them. Whatever a server sends, the secret goes
 * only to an Entra host on the list, and the token is for this vault's own service. */
#include "fuzz.h"

// aims: src/vault/challenge.c src/net/http_header.c src/net/backoff.c

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/backoff.h"
#include "net/http_header.h"
#include "vault/challenge.h"

static const char *const vaults[] = {"contoso-vault", "pool.managedhsm.azure.net",
                                     "contoso.vault.azure.cn", "x.vault.usgovcloudapi.net"};

static void check_again(const struct vault_address *vault, const struct challenge *read)
{
    char text[1024];
    struct challenge again;
    FUZZ_CHECK(text_format(text, sizeof text,
                           "Bearer authorization=\"https://%s/%s\", resource=\"https://%s\"",
                           read->authority, read->tenant, read->resource));
    FUZZ_CHECK(challenge_parse(fuzz_call(), vault, text, &again) == EKM_OK);
    FUZZ_CHECK(memcmp(&again, read, sizeof again) == 0);
}

static void read_challenge(const struct vault_address *vault, const char *text)
{
    struct call *call = fuzz_call();
    struct challenge read;
    enum ekm_rc rc = challenge_parse(call, vault, text, &read);
    if (rc != EKM_OK) {
        FUZZ_CHECK_ONE_OF(call, rc, EKM_CHALLENGE_MALFORMED, EKM_CHALLENGE_NO_RESOURCE,
                          EKM_CHALLENGE_FOREIGN);
        return;
    }
    FUZZ_CHECK(call->error.rc == EKM_OK);
    FUZZ_CHECK(address_login(call->config, vault, read.authority) != NULL);
    FUZZ_CHECK(text_is_name(read.authority, ".-", 253));
    FUZZ_CHECK(text_is_name(read.tenant, ".-", 64));
    FUZZ_CHECK(strcmp(read.tenant, ".") != 0 && strcmp(read.tenant, "..") != 0);
    FUZZ_CHECK(strcmp(read.resource, vault->resource) == 0);
    check_again(vault, &read);
}

/* Lines as curl hands them over: with their break, not terminated. */
static void read_headers(struct fuzz_input *input, struct http_response *answer)
{
    while (input->left > 0) {
        const uint8_t *end = memchr(input->at, '\n', input->left);
        size_t len = end != NULL ? (size_t)(end - input->at) + 1 : input->left;
        uint8_t *line = fuzz_bytes(input, len, &len);
        (void)http_header_read((const char *)line, len, answer);
        free(line);
        FUZZ_CHECK(memchr(answer->authenticate, 0, sizeof answer->authenticate) != NULL);
        FUZZ_CHECK(memchr(answer->retry_after, 0, sizeof answer->retry_after) != NULL);
        FUZZ_CHECK(memchr(answer->request_id, 0, sizeof answer->request_id) != NULL);
        FUZZ_CHECK(strchr(answer->authenticate, '\n') == NULL);
    }
}

/* The first byte: which vault, and whether header lines follow or the value of one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_response answer;
    struct fuzz_input input = {data, size};
    struct vault_address vault;
    uint8_t choice = fuzz_byte(&input);
    FUZZ_CHECK(address_parse(fuzz_call()->config, vaults[choice % 4], &vault) == EKM_OK);
    if (choice % 8 < 4) {
        char *text = fuzz_rest(&input);
        read_challenge(&vault, text);
        free(text);
        return 0;
    }
    http_response_init(&answer);
    read_headers(&input, &answer);
    read_challenge(&vault, answer.authenticate);
    /* The year 10000 is the furthest that a date can say. */
    FUZZ_CHECK(backoff_retry_after_ms(answer.retry_after, 1700000000000) <= 253402300800000);
    http_response_free(&answer);
    return 0;
}
