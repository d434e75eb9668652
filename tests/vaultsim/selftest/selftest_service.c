#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client.h"
#include "selftest.h"

#define SECOND "second-vault.vault.azure.net"
#define NEW    "?api-version=2026-04-01"

static void grant_all(struct client *client, const char *resource)
{
    client_open(client);
    sim_do("POST", "/clients", "{\"client_id\":\"" CLIENT "\",\"permissions\":[\"all\"]}");
    assert_int_equal(client_sign_in(client, resource), 200);
}

static bool has_field(const struct client *client, const char *line)
{
    return strstr(client->fields, line) != NULL;
}

/* Members in order of their names, field names in lower case, alg in answers. */
void test_hsm_shapes(void **state)
{
    (void)state;
    struct client c;
    char body[1024];
    grant_all(&c, "managedhsm.azure.net");
    assert_int_equal(client_post(&c, HSM, "/keys/shaped/create" NEW, "{\"kty\":\"RSA-HSM\"}"), 200);
    assert_memory_equal(c.body, "{\"attributes\":{\"created\":", 25);
    assert_string_equal(client_text(&c, "attributes.recoveryLevel"),
                        "CustomizedRecoverable+Purgeable");
    assert_null(cJSON_GetObjectItemCaseSensitive(c.json, "tags"));
    assert_true(has_field(&c, "\r\nx-ms-keyvault-region: westeurope"));
    assert_true(has_field(&c, "\r\nx-ms-keyvault-network-info: conn_type=Ipv4;"));
    assert_true(has_field(&c, "\r\ncontent-security-policy: "));
    assert_int_equal(client_post(&c, HSM, "/keys/shaped/wrapkey" NEW,
                                 "{\"alg\":\"RSA-OAEP-256\",\"value\":\"aGVsbG8\"}"),
                     200);
    assert_string_equal(client_text(&c, "alg"), "RSA-OAEP-256");
    snprintf(body, sizeof body, "{\"alg\":\"RSA-OAEP-256\",\"value\":\"%s\"}",
             client_text(&c, "value"));
    assert_int_equal(client_post(&c, HSM, "/keys/shaped/unwrapkey" NEW, body), 200);
    assert_string_equal(client_text(&c, "alg"), "RSA-OAEP-256");
    assert_string_equal(client_text(&c, "value"), "aGVsbG8");
    assert_int_equal(client_get(&c, HSM, "/keys/absent" NEW), 404);
    assert_memory_equal(client_text(&c, "error.message"),
                        "Key not found: absent (Activity ID: ", 36);
    assert_int_equal(client_get(&c, HSM, "/keys/shaped"), 200); /* no api-version */
    assert_int_equal(client_post(&c, HSM, "/keys/shaped/wrapkey", body), 400);
    c.token[0] = '\0';
    assert_int_equal(client_get(&c, HSM, "/keys/shaped" NEW), 401);
    assert_true(has_field(&c, "\r\nwww-authenticate: Bearer authorization=\""));
    assert_false(has_field(&c, "x-ms-keyvault-region"));
    client_sign_in(&c, "vault.azure.net");
    sim_do("POST", "/keys", "{\"vault\":\"" VAULT "\",\"name\":\"shaped\",\"kty\":\"EC\"}");
    assert_int_equal(client_get(&c, VAULT, "/keys/shaped" NEW), 200);
    assert_memory_equal(c.body, "{\"key\":{\"kid\":", 14);
    client_close(&c);
}

void test_hsm_lists(void **state)
{
    (void)state;
    struct client c;
    char path[512], former[512] = "";
    int items = 0;
    grant_all(&c, "managedhsm.azure.net");
    sim_do("POST", "/keys/filler", "{\"vault\":\"" HSM "\",\"count\":1,\"versions\":30}");
    snprintf(path, sizeof path, "/keys/filler-00000/versions" NEW);
    while (path[0] != '\0') {
        assert_int_equal(client_get(&c, HSM, path), 200);
        items += cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(c.json, "value"));
        const char *link = client_text(&c, "nextLink");
        assert_true(link[0] == '\0' || strncmp(link, "https://" HSM "/keys/", 20) == 0);
        assert_null(strstr(link, "api-version"));
        assert_null(strstr(link, ":443"));
        snprintf(former, sizeof former, "%s", path);
        snprintf(path, sizeof path, "%s", link[0] != '\0' ? strstr(link, "/keys/") : "");
    }
    assert_int_equal(items, 30);
    assert_null(cJSON_GetObjectItemCaseSensitive(c.json, "nextLink"));
    assert_null(strstr(former, "api-version"));
    assert_int_equal(client_get(&c, HSM, "/keys/absent/versions" NEW), 200);
    assert_string_equal(c.body, "{\"value\":[]}");
    client_close(&c);
}

void test_tags(void **state)
{
    (void)state;
    struct client c;
    char body[1024];
    grant_all(&c, "vault.azure.net");
    assert_int_equal(client_post(&c, SECOND, "/keys/tagged/create" NEW,
                                 "{\"kty\":\"RSA\",\"public_exponent\":3,"
                                 "\"tags\":{\"owner\":\"sql\",\"stage\":\"test\"}}"),
                     200);
    assert_string_equal(client_text(&c, "tags.owner"), "sql");
    assert_string_equal(client_text(&c, "key.e"), "Aw");
    assert_int_equal(client_send(&c, "PATCH", SECOND, "/keys/tagged" NEW,
                                 "{\"key_ops\":[],\"attributes\":{\"enabled\":true}}", NULL),
                     200);
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(c.json, "key");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(key, "key_ops")), 6);
    assert_string_equal(client_text(&c, "tags.stage"), "test");
    sim_stop();
    sim_start();
    client_sign_in(&c, "vault.azure.net");
    client_get(&c, SECOND, "/keys/tagged/versions" NEW);
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(c.json, "value");
    assert_non_null(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(items, 0), "tags"));
    assert_int_equal(client_send(&c, "PATCH", SECOND, "/keys/tagged" NEW, "{\"tags\":{}}", NULL),
                     200);
    assert_null(cJSON_GetObjectItemCaseSensitive(c.json, "tags"));
    snprintf(body, sizeof body, "{\"kty\":\"RSA\",\"public_exponent\":4}");
    assert_int_equal(client_post(&c, SECOND, "/keys/tagged/create" NEW, body), 400);
    client_close(&c);
}

void test_life(void **state)
{
    (void)state;
    struct client c;
    char first[700], backup[65536], wrapped[1024];
    grant_all(&c, "vault.azure.net");
    wrap_hello(&c, "tested", wrapped, sizeof wrapped);
    client_get(&c, VAULT, "/keys/tested" NEW);
    snprintf(first, sizeof first, "%s", client_text(&c, "key.kid"));
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/backup" NEW, ""), 200);
    snprintf(backup, sizeof backup, "{\"value\":\"%s\"}", client_text(&c, "value"));
    assert_int_equal(client_post(&c, VAULT, "/keys/restore" NEW, backup), 409);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/rotate" NEW, ""), 200);
    assert_string_not_equal(client_text(&c, "key.kid"), first);
    assert_int_equal(strlen(client_text(&c, "key.n")), 342);
    assert_int_equal(client_post(&c, SECOND, "/keys/restore" NEW, backup), 200);
    assert_string_equal(client_text(&c, "key.kid") + strlen("https://" SECOND),
                        first + strlen("https://" VAULT));
    assert_int_equal(client_post(&c, SECOND, "/keys/tested/unwrapkey" V, wrapped), 200);
    assert_string_equal(client_text(&c, "value"), "aGVsbG8");
    assert_int_equal(client_post(&c, SECOND, "/keys/restore" NEW, "{\"value\":\"aGVsbG8\"}"), 400);
    client_close(&c);
}

void test_policy(void **state)
{
    (void)state;
    struct client c;
    grant_all(&c, "vault.azure.net");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested/rotationpolicy" NEW), 200);
    assert_string_equal(client_text(&c, "id"), "https://" VAULT "/keys/tested/rotationpolicy");
    assert_int_equal(client_send(&c, "PUT", VAULT, "/keys/tested/rotationpolicy" NEW,
                                 "{\"attributes\":{\"expiryTime\":\"P90D\"}}", NULL),
                     200);
    assert_int_equal(client_get(&c, VAULT, "/keys/TESTED/rotationpolicy" NEW), 200);
    assert_string_equal(client_text(&c, "attributes.expiryTime"), "P90D");
    assert_int_equal(client_get(&c, VAULT, "/keys/absent/rotationpolicy" NEW), 404);
    client_close(&c);
}

void test_empty_pages(void **state)
{
    (void)state;
    struct client c;
    char path[512] = "/keys/tested/versions" V;
    int pages = 0, items = 0;
    grant_all(&c, "vault.azure.net");
    sim_do("POST", "/settings", "{\"empty_pages\":2}");
    while (path[0] != '\0') {
        assert_int_equal(client_get(&c, VAULT, path), 200);
        int count = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(c.json, "value"));
        assert_true(pages >= 2 || count == 0);
        items += count;
        pages++;
        const char *link = client_text(&c, "nextLink");
        snprintf(path, sizeof path, "%s", link[0] != '\0' ? strstr(link, "/keys/") : "");
    }
    sim_do("POST", "/settings", "{\"empty_pages\":0}");
    assert_int_equal(pages, 3);
    assert_true(items >= 1);
    client_close(&c);
}

static void sign_in_with_cp1(struct client *client)
{
    client->token[0] = '\0';
    client_send(client, "POST", LOGIN, "/" TENANT "/oauth2/v2.0/token",
                "grant_type=client_credentials&client_id=" CLIENT "&client_secret=" SECRET
                "&scope=https://vault.azure.net/.default&claims="
                "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}",
                "application/x-www-form-urlencoded");
    snprintf(client->token, sizeof client->token, "%s", client_text(client, "access_token"));
}

void test_claims(void **state)
{
    (void)state;
    struct client c;
    grant_all(&c, "vault.azure.net");
    sim_do("POST", "/tokens/revoke", NULL);
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 401);
    assert_non_null(strstr(c.challenge, "error=\"invalid_token\"")); /* it never said cp1 */
    sign_in_with_cp1(&c);
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 200);
    sim_do("POST", "/tokens/revoke", NULL);
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 401);
    assert_non_null(strstr(c.challenge, "error=\"insufficient_claims\", claims=\"eyJ"));
    assert_null(strstr(c.challenge, "resource="));
    sign_in_with_cp1(&c);
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 200);
    client_sign_in(&c, "vault.azure.net");
    sim_do("POST", "/tokens/revoke", "{\"all\":true}");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 401);
    assert_non_null(strstr(c.challenge, "insufficient_claims"));
    client_close(&c);
}

void test_service_faults(void **state)
{
    (void)state;
    struct client c;
    int refused = 0;
    grant_all(&c, "vault.azure.net");
    sim_do("POST", "/faults",
           "{\"action\":\"unresolved_key\",\"times\":0,\"percent\":30,\"seed\":7}");
    for (int i = 0; i < 100; i++) {
        bool is_refused = client_get(&c, VAULT, "/keys/tested" V) == 401;
        refused += is_refused ? 1 : 0;
        assert_true(!is_refused || strstr(client_text(&c, "error.message"), "AKV10046") != NULL);
    }
    assert_in_range(refused, 10, 60);
    sim_do("DELETE", "/faults", NULL);
    sim_do("POST", "/faults", "{\"action\":\"html\",\"status\":503}");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 503);
    assert_null(c.json);
    assert_non_null(strstr(c.body, "<title>503 Service Unavailable</title>"));
    sim_do("POST", "/faults", "{\"path\":\"oauth2\",\"action\":\"status\",\"status\":503}");
    assert_int_equal(client_sign_in(&c, "vault.azure.net"), 503);
    assert_string_equal(client_text(&c, "error"), "temporarily_unavailable");
    sim_do(
        "POST", "/faults",
        "{\"path\":\"oauth2\",\"action\":\"status\",\"status\":401,\"code\":\"invalid_client\"}");
    assert_int_equal(client_sign_in(&c, "vault.azure.net"), 401);
    assert_string_equal(client_text(&c, "error"), "invalid_client");
    client_close(&c);
}

void test_refusals(void **state)
{
    (void)state;
    struct client c;
    char wrapped[1024];
    grant_all(&c, "vault.azure.net");
    wrap_hello(&c, "tested", wrapped, sizeof wrapped);
    sim_do("POST", "/vaults/" VAULT "/firewall", "{\"deny\":\"nsp\"}");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 403);
    assert_string_equal(client_text(&c, "error.innererror.code"), "ForbiddenByNsp");
    sim_do("POST", "/vaults/" VAULT "/firewall", "{\"deny\":\"none\"}");
    sim_do("POST", "/vaults/" VAULT "/failover", "{\"for_ms\":60000}");
    assert_int_equal(client_post(&c, VAULT, "/keys/new/create" V, "{\"kty\":\"EC\"}"), 403);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/rotate" V, ""), 403);
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 200);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, wrapped), 200);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/backup" V, ""), 200);
    sim_do("POST", "/vaults/" VAULT "/failover", "{\"for_ms\":0}");
    assert_int_equal(client_post(&c, VAULT, "/keys/new/create" V, "{\"kty\":\"EC\"}"), 200);
    client_close(&c);
}

/* The service's clock is a day ahead: a key of tomorrow is valid, and the Date field says so. */
void test_clock(void **state)
{
    (void)state;
    struct client c;
    char json[256];
    grant_all(&c, "vault.azure.net");
    assert_int_equal(client_post(&c, VAULT, "/keys/tomorrow/create" V, "{\"kty\":\"RSA\"}"), 200);
    const cJSON *attributes = cJSON_GetObjectItemCaseSensitive(c.json, "attributes");
    long created = (long)cJSON_GetObjectItemCaseSensitive(attributes, "created")->valuedouble;
    snprintf(json, sizeof json, "{\"vault\":\"" VAULT "\",\"name\":\"tomorrow\",\"nbf\":%ld}",
             created + 3600);
    sim_do("PATCH", "/keys", json);
    const char wrap[] = "{\"alg\":\"RSA-OAEP-256\",\"value\":\"aGVsbG8\"}";
    assert_int_equal(client_post(&c, VAULT, "/keys/tomorrow/wrapkey" V, wrap), 403);
    sim_do("POST", "/settings", "{\"clock_offset_s\":86400}");
    assert_int_equal(client_post(&c, VAULT, "/keys/tomorrow/wrapkey" V, wrap), 200);
    char date[64];
    const char *field = strstr(c.fields, "\r\nDate: ");
    assert_non_null(field);
    snprintf(date, sizeof date, "%.29s", field + 8);
    assert_null(strstr(field + 8, "\r\nDate: "));
    assert_true(curl_getdate(date, NULL) >= created + 86400);
    sim_do("POST", "/settings", "{\"clock_offset_s\":0}");
    client_close(&c);
}
