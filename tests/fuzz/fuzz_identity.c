/* The effects of responses of a source of managed identities, or of another process in its place:
 * the library reads no file except a key in the folder of the agent, sends no header with a line
 * break, and accepts no token that cannot be a header. */
#include "fuzz.h"

// aims: src/vault/arc.c src/vault/identity_endpoint.c src/vault/workload_identity.c

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "vault/arc.h"
#include "vault/identity_endpoint.h"
#include "vault/wire.h"
#include "vault/workload_identity.h"

#define KEYS "/var/opt/azcmagent/tokens"

static void check_path(const char *authenticate)
{
    char path[1024];
    if (!arc_key_path(authenticate, KEYS, path, sizeof path)) {
        return;
    }
    size_t len = strlen(path);
    FUZZ_CHECK(strncmp(path, KEYS "/", sizeof KEYS) == 0);
    FUZZ_CHECK(strchr(path + sizeof KEYS, '/') == NULL && path[sizeof KEYS] != '.');
    FUZZ_CHECK(len > 4 && text_ends_nocase(path, ".key"));
}

static void check_endpoint(const char *url)
{
    char host[254];
    if (identity_endpoint_is_valid(url)) {
        FUZZ_CHECK(strpbrk(url, " \t\r\n?#@") == NULL);
        FUZZ_CHECK(text_equal_nocase_n(url, "http", 4));
    }
    if (workload_identity_authority(url, host, sizeof host)) {
        FUZZ_CHECK(text_is_name(host, ".-", sizeof host - 1));
    }
    (void)identity_endpoint_is_loopback(url);
}

static void check_refusal(const struct buf *body)
{
    char word[48];
    memset(word, 'x', sizeof word);
    enum ekm_rc rc = wire_read_identity_error(fuzz_call(), body, word, sizeof word);
    FUZZ_CHECK(rc == EKM_OK);
    FUZZ_CHECK(memchr(word, 0, sizeof word) != NULL);
    FUZZ_CHECK(word[0] == '\0' || text_is_name(word, "_-.", sizeof word - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct buf body;
    fuzz_body(&body, data, size);
    check_refusal(&body);
    buf_free(&body);
    char *line = fuzz_line(&input);
    check_path(line);
    check_endpoint(line);
    free(line);
    return 0;
}
