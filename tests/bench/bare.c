#include "bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "measure.h"
#include "platform/system.h"
#include "sample.h"
#include "vault/wire.h"

#define HOST      "contoso-vault.vault.azure.net"
#define CLIENT_ID "11111111-2222-4333-8444-555555555555"

/* The value of `key = value` in vaultsim's configuration file. */
static void read_setting(const char *folder, const char *key, char *out, size_t cap)
{
    char path[300], line[512];
    size_t len = strlen(key);
    snprintf(path, sizeof path, "%s/akv-ekm.conf", folder);
    FILE *in = fopen(path, "r");
    out[0] = '\0';
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strncmp(line, key, len) == 0 && strncmp(line + len, " = ", 3) == 0) {
            snprintf(out, cap, "%s", line + len + 3);
        }
    }
    if (in == NULL || out[0] == '\0') {
        give_up("%s has no %s", path, key);
    }
    fclose(in);
}

/* The response to the handle's last request; the next one overwrites it. */
struct answer {
    size_t len;
    char text[8192];
};

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    size_t len = size * count;
    if (len >= sizeof answer->text - answer->len) {
        return 0;
    }
    memcpy(answer->text + answer->len, data, len);
    answer->len += len;
    answer->text[answer->len] = '\0';
    return len;
}

/* As long as that of the library, because curl formats the head of a request character by
 * character. */
static CURL *make_handle(const struct bare *bare)
{
    char os[160], agent[256];
    plat_os_name(os, sizeof os);
    snprintf(agent, sizeof agent, "akv-ekm/" AKVEKM_VERSION " (%s)", os);
    CURL *easy = curl_easy_init();
    if (easy == NULL || curl_easy_setopt(easy, CURLOPT_CAINFO, bare->ca_file) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, bare->connect_list) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_USERAGENT, agent) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK) {
        give_up("no curl handle");
    }
    return easy;
}

static void bare_send(CURL *easy, struct answer *answer)
{
    long status = 0;
    answer->len = 0;
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
    CURLcode code = curl_easy_perform(easy);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200) {
        give_up("the bare loop: %s, HTTP %ld", curl_easy_strerror(code), status);
    }
}

static void fetch_token(struct bare *bare)
{
    static struct answer answer;
    char *bearer = NULL, *end = NULL;
    CURL *easy = make_handle(bare);
    (void)curl_easy_setopt(easy, CURLOPT_URL,
                           "https://login.microsoftonline.com/72f988bf-0000-4000-8000-2d7cd011db47/"
                           "oauth2/v2.0/token");
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                           "client_id=" CLIENT_ID "&scope=https%3A%2F%2Fvault.azure.net%2F.default"
                           "&client_secret=Sim~Secret-0.with_hyphens-1"
                           "&grant_type=client_credentials");
    bare_send(easy, &answer);
    curl_easy_cleanup(easy);
    char *token = strstr(answer.text, "\"access_token\":\"");
    end = token != NULL ? strchr(token + 16, '"') : NULL;
    if (end == NULL) {
        give_up("no token");
    }
    *end = '\0';
    if (asprintf(&bearer, "Authorization: Bearer %s", token + 16) < 0) {
        give_up("no memory");
    }
    static const char *const fixed[] = {
        "Accept: application/json", "Content-Type: application/json",
        "x-ms-client-request-id: 3f0b9f2e-7a52-4c39-9d7d-0f6f1a2b3c4d"};
    for (size_t i = 0; i < 3; i++) {
        bare->headers = curl_slist_append(bare->headers, fixed[i]);
    }
    bare->headers = curl_slist_append(bare->headers, bearer);
    free(bearer);
}

static void write_body(char *out, size_t cap, const uint8_t *bytes, size_t len)
{
    struct buf body = BUF_EMPTY(8192);
    if (wire_write_operation("RSA-OAEP-256", bytes, len, &body) != EKM_OK ||
        (size_t)snprintf(out, cap, "%s", buf_text(&body)) >= cap) {
        give_up("a body does not fit");
    }
    buf_free(&body);
}

void bare_open(struct bare *bare, const char *folder)
{
    struct sample sample;
    char uri[256];
    memset(bare, 0, sizeof *bare);
    sample_read(&sample, folder);
    sample_key_uri(folder, uri, sizeof uri);
    read_setting(folder, "connect_to", bare->connect_to, sizeof bare->connect_to);
    read_setting(folder, "ca_file", bare->ca_file, sizeof bare->ca_file);
    bare->connect_list = curl_slist_append(NULL, bare->connect_to);
    write_body(bare->body[BARE_UNWRAP], sizeof bare->body[0], sample.cipher, sample.cipher_len);
    write_body(bare->body[BARE_WRAP], sizeof bare->body[0], sample_plain, SAMPLE_PLAIN_BYTES);
    static const char *const actions[] = {"/unwrapkey", "/wrapkey", ""};
    for (size_t i = 0; i < BARE_OPERATIONS; i++) {
        snprintf(bare->url[i], sizeof bare->url[i], "%s%s?api-version=7.4", uri, actions[i]);
    }
    fetch_token(bare);
}

void bare_choose(struct bare *bare, enum bare_operation operation)
{
    bare->operation = operation;
    for (size_t i = 0; i < THREADS_MAX; i++) {
        CURL *easy = bare->handles[i] =
            bare->handles[i] != NULL ? bare->handles[i] : make_handle(bare);
        (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, bare->headers);
        (void)curl_easy_setopt(easy, CURLOPT_URL, bare->url[operation]);
        if (operation == BARE_GET_KEY) {
            (void)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        } else {
            (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
            (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, bare->body[operation]);
        }
    }
}

void bare_perform(void *context, unsigned thread)
{
    struct bare *bare = context;
    struct answer answer;
    bare_send(bare->handles[thread], &answer);
    if (strstr(answer.text, "\"kid\"") == NULL) {
        give_up("the bare loop got an odd answer");
    }
}

void bare_close(struct bare *bare)
{
    for (size_t i = 0; i < THREADS_MAX; i++) {
        curl_easy_cleanup(bare->handles[i]);
    }
    curl_slist_free_all(bare->headers);
    curl_slist_free_all(bare->connect_list);
}
