#include "selftest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client.h"

static struct client c;

void test_attributes(void **state)
{
    (void)state;
    client_open(&c);
    char unwrap[1024], wrap[] = "{\"alg\":\"RSA-OAEP-256\",\"value\":\"" HELLO "\"}";
    client_sign_in(&c, "vault.azure.net");
    wrap_hello(&c, "tested", unwrap, sizeof unwrap);
    sim_do("PATCH", "/keys", KEY_JSON(",\"enabled\":false"));
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, unwrap), 403);
    assert_code(&c, "Forbidden");
    assert_inner(&c, "KeyDisabled");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 200);
    sim_do("POST", "/settings", "{\"disabled_get_403\":true}");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 403);
    sim_do("POST", "/settings", "{\"disabled_get_403\":false}");
    sim_do("PATCH", "/keys", KEY_JSON(",\"enabled\":true,\"exp\":1000000000"));
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/wrapkey" V, wrap), 403);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, unwrap), 200);
    sim_do("PATCH", "/keys", KEY_JSON(",\"exp\":0,\"nbf\":9000000000"));
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/wrapkey" V, wrap), 403);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, unwrap), 200);
    sim_do("PATCH", "/keys", KEY_JSON(",\"nbf\":0,\"key_ops\":[\"wrapKey\"]"));
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, unwrap), 403);
    assert_inner(&c, "KeyOperationForbidden");
    sim_do("PATCH", "/keys",
           KEY_JSON(",\"key_ops\":[\"wrapKey\",\"unwrapKey\",\"encrypt\",\"decrypt\",\"sign\","
                    "\"verify\"]"));
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/wrapkey" V, wrap), 200);
    client_close(&c);
}

void test_roles(void **state)
{
    (void)state;
    client_open(&c);
    client_sign_in(&c, "vault.azure.net");
    assert_int_equal(client_post(&c, VAULT, "/keys/made/create" V, "{\"kty\":\"EC\"}"), 403);
    assert_inner(&c, "ForbiddenByPolicy");
    sim_do("POST", "/clients",
           "{\"client_id\":\"" CLIENT "\",\"permissions\":[],\"rbac\":true,\"vault\":\"" VAULT
           "\"}");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 403);
    assert_inner(&c, "ForbiddenByRbac");
    sim_do("POST", "/clients", "{\"client_id\":\"" CLIENT "\",\"permissions\":[\"all\"]}");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 200);
    sim_do("POST", "/vaults/" VAULT "/firewall", "{\"deny\":\"firewall\"}");
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 403);
    assert_inner(&c, "ForbiddenByFirewall");
    sim_do("POST", "/vaults/" VAULT "/firewall", "{\"deny\":\"none\"}");
    client_close(&c);
}

void test_deletion(void **state)
{
    (void)state;
    client_open(&c);
    client_sign_in(&c, "vault.azure.net");
    assert_int_equal(client_post(&c, VAULT, "/keys/made/create" V, "{\"kty\":\"EC\"}"), 200);
    assert_int_equal(client_post(&c, VAULT, "/keys/made/create" V, "{\"kty\":\"EC\"}"), 200);
    assert_int_equal(client_get(&c, VAULT, "/keys/made/versions" V), 200);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(c.json, "value")), 2);
    assert_int_equal(client_send(&c, "DELETE", VAULT, "/keys/made" V, NULL, NULL), 200);
    assert_string_equal(client_text(&c, "recoveryId"), "https://" VAULT "/deletedkeys/made");
    assert_int_equal(client_get(&c, VAULT, "/keys/made" V), 404);
    assert_int_equal(client_post(&c, VAULT, "/keys/made/create" V, "{\"kty\":\"EC\"}"), 409);
    assert_inner(&c, "ObjectIsDeletedButRecoverable");
    assert_int_equal(client_get(&c, VAULT, "/deletedkeys/made" V), 200);
    assert_int_equal(client_post(&c, VAULT, "/deletedkeys/made/recover" V, ""), 200);
    assert_int_equal(client_get(&c, VAULT, "/keys/made" V), 200);
    assert_string_equal(client_text(&c, "attributes.recoveryLevel"), "Recoverable+Purgeable");
    client_send(&c, "DELETE", VAULT, "/keys/made" V, NULL, NULL);
    assert_int_equal(client_send(&c, "DELETE", VAULT, "/deletedkeys/made" V, NULL, NULL), 204);
    assert_int_equal(client_get(&c, VAULT, "/deletedkeys/made" V), 404);
    assert_says(&c, "Deleted Key not found: made");
    sim_do("POST", "/settings", "{\"purge_protection\":true}");
    assert_int_equal(client_post(&c, VAULT, "/keys/made/create" V, "{\"kty\":\"EC\"}"), 200);
    sim_do("POST", "/settings", "{\"purge_protection\":false}");
    assert_string_equal(client_text(&c, "attributes.recoveryLevel"), "Recoverable");
    client_send(&c, "DELETE", VAULT, "/keys/made" V, NULL, NULL);
    assert_int_equal(client_send(&c, "DELETE", VAULT, "/deletedkeys/made" V, NULL, NULL), 403);
    client_close(&c);
}

void test_hsm(void **state)
{
    (void)state;
    client_open(&c);
    client_sign_in(&c, "managedhsm.azure.net");
    assert_int_equal(client_post(&c, HSM, "/keys/k/create" V, "{\"kty\":\"RSA\"}"), 400);
    assert_says(&c, "(Activity ID: ");
    sim_do("POST", "/keys", "{\"vault\":\"" HSM "\",\"name\":\"k\",\"kty\":\"RSA-HSM\"}");
    assert_int_equal(client_get(&c, HSM, "/keys/k" V), 200);
    assert_string_equal(client_text(&c, "key.kty"), "RSA-HSM");
    sim_do("POST", "/clients",
           "{\"client_id\":\"" CLIENT "\",\"permissions\":[],\"vault\":\"" HSM "\"}");
    assert_int_equal(client_get(&c, HSM, "/keys/k" V), 403);
    assert_code(&c, "AccessDenied");
    client_sign_in(&c, "vault.azure.net");
    assert_int_equal(client_get(&c, HSM, "/keys/k" V), 401);
    assert_says(&c, "Found token with aud=https://vault.azure.net");
    client_close(&c);
}

void test_paging(void **state)
{
    (void)state;
    client_open(&c);
    char json[128], path[512] = "/keys" V;
    int pages = 0, items = 0;
    client_sign_in(&c, "vault.azure.cn");
    c.token[0] = '\0';
    for (int i = 0; i < 30; i++) {
        snprintf(json, sizeof json,
                 "{\"vault\":\"second-vault.vault.azure.net\",\"name\":\"n%02d\",\"kty\":\"oct\"}",
                 i);
        sim_do("POST", "/keys", json);
    }
    client_sign_in(&c, "vault.azure.net");
    while (path[0] != '\0') {
        assert_int_equal(client_get(&c, "second-vault.vault.azure.net", path), 200);
        const cJSON *item = NULL, *value = cJSON_GetObjectItem(c.json, "value");
        cJSON_ArrayForEach(item, value)
        {
            snprintf(json, sizeof json, "https://second-vault.vault.azure.net/keys/n%02d", items++);
            assert_string_equal(cJSON_GetObjectItem(item, "kid")->valuestring, json);
        }
        const char *link = client_text(&c, "nextLink");
        const char *start = "https://second-vault.vault.azure.net:443";
        assert_true(link[0] == '\0' || strncmp(link, start, strlen(start)) == 0);
        snprintf(path, sizeof path, "%s", link[0] != '\0' ? link + strlen(start) : "");
        pages++;
    }
    assert_int_equal(pages, 2);
    assert_int_equal(items, 30);
    assert_int_equal(client_get(&c, VAULT, "/keys" V "&maxresults=26"), 400);
    client_close(&c);
}

/* Keys without a private half: they can be read, also after a restart, and nothing else. */
void test_filler(void **state)
{
    (void)state;
    client_open(&c);
    sim_do("POST", "/keys/filler",
           "{\"vault\":\"second-vault.vault.azure.net\",\"count\":3,\"versions\":2}");
    sim_stop();
    sim_start();
    client_sign_in(&c, "vault.azure.net");
    const char *host = "second-vault.vault.azure.net";
    assert_int_equal(client_get(&c, host, "/keys/filler-00002" V), 200);
    assert_int_equal(strlen(client_text(&c, "key.n")), 342);
    assert_int_equal(client_get(&c, host, "/keys/filler-00002/versions" V), 200);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(c.json, "value")), 2);
    assert_int_equal(client_post(&c, host, "/keys/filler-00002/wrapkey" V,
                                 "{\"alg\":\"RSA-OAEP-256\",\"value\":\"" HELLO "\"}"),
                     403);
    assert_inner(&c, "KeyOperationForbidden");
    client_close(&c);
}
