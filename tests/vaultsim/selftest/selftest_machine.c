#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client.h"
#include "selftest.h"

#define SYSTEM   "22222222-3333-4444-8555-666666666666"
#define USER     "33333333-4444-4555-8666-777777777777"
#define USER_OID "33333333-aaaa-4555-8666-777777777777"
#define USER_ARM                                                                                   \
    "/subscriptions/44444444-5555-4666-8777-888888888888/resourcegroups/sql/providers/"            \
    "microsoft.managedidentity/userassignedidentities/SQL-IDENTITY"
#define RESOURCE "resource=https://vault.azure.net"

static const char *const metadata[3] = {"Metadata: true", NULL, NULL};

static void imds_url(const char *rest, char *url, size_t cap)
{
    char base[128];
    sim_env("identity.env", "AZURE_POD_IDENTITY_AUTHORITY_HOST", base, sizeof base);
    /* Two slashes, as msal4j writes them. */
    snprintf(url, cap, "%s//metadata/identity/oauth2/token?api-version=2018-02-01%s", base, rest);
}

static long machine_imds(struct client *client, const char *rest, const char *const headers[3])
{
    char url[1024];
    imds_url(rest, url, sizeof url);
    return client_fetch(client, url, headers, NULL);
}

static void assert_refused(struct client *client, long status, const char *part)
{
    assert_int_equal(client->status, status);
    assert_true(client_text(client, "error")[0] != '\0');
    assert_non_null(strstr(client_text(client, "error_description"), part));
}

/* The token that came last opens the vault. */
static void assert_token_works(struct client *client)
{
    snprintf(client->token, sizeof client->token, "%s", client_text(client, "access_token"));
    assert_int_equal(client_get(client, VAULT, "/keys/tested" V), 200);
    client->token[0] = '\0';
}

void test_imds(void **state)
{
    (void)state;
    static const struct {
        const char *rest, *client_id;
    } good[] = {
        {"&" RESOURCE, SYSTEM},
        {"&" RESOURCE "&client_id=" USER, USER},
        {"&" RESOURCE "&object_id=" USER_OID, USER},
        {"&" RESOURCE "&msi_res_id=" USER_ARM, USER},
        {"&" RESOURCE "&mi_res_id=" USER_ARM, SYSTEM}, /* a word IMDS does not know */
    };
    static const struct {
        const char *rest, *part;
    } bad[] = {
        {"", "'resource' is missing"},
        {"&resource=https%3A%2F%2Fvault.example.com", "AADSTS500011"},
        {"&" RESOURCE "&client_id=99999999-4444-4555-8666-777777777777", "Identity not found"},
        {"&" RESOURCE "&client_id=" USER "&object_id=" USER_OID, "Only one of"},
    };
    struct client c;
    client_open(&c);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(machine_imds(&c, good[i].rest, metadata), 200);
        assert_string_equal(client_text(&c, "client_id"), good[i].client_id);
        assert_string_equal(client_text(&c, "token_type"), "Bearer");
        assert_string_equal(client_text(&c, "resource"), "https://vault.azure.net");
        assert_true(atol(client_text(&c, "expires_in")) > 86000);
        assert_true(atol(client_text(&c, "expires_on")) > 1700000000);
        assert_token_works(&c);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        machine_imds(&c, bad[i].rest, metadata);
        assert_refused(&c, 400, bad[i].part);
    }
    assert_int_equal(sim_count("leaked_secrets"), 0);
    client_close(&c);
}

/* A request without the header, or through a proxy, does not come from a process of this machine.
 */
void test_imds_header(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {NULL, NULL, NULL},
        {"Metadata: True", NULL, NULL},
        {"Metadata: true", "X-Forwarded-For: 10.0.0.1", NULL},
        {"Metadata: true", "Via: 1.1 proxy", NULL},
    };
    struct client c;
    char proxy[128];
    client_open(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        machine_imds(&c, "&" RESOURCE, rows[i]);
        assert_refused(&c, 400, i < 2 ? "metadata header" : "proxy");
    }
    sim_env("identity.env", "AZURE_POD_IDENTITY_AUTHORITY_HOST", proxy, sizeof proxy);
    client_fetch(&c,
                 "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
                 "&" RESOURCE,
                 metadata, proxy);
    assert_refused(&c, 400, "proxy");
    char url[256];
    snprintf(url, sizeof url, "%s/metadata/identity/oauth2/token?" RESOURCE, proxy);
    assert_int_equal(client_fetch(&c, url, metadata, NULL), 400);
    assert_true(cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(c.json, "newest-versions")));
    client_close(&c);
}

void test_imds_identities(void **state)
{
    (void)state;
    struct client c;
    char first[2048];
    client_open(&c);
    machine_imds(&c, "&" RESOURCE, metadata);
    snprintf(first, sizeof first, "%s", client_text(&c, "access_token"));
    machine_imds(&c, "&" RESOURCE, metadata);
    assert_string_equal(client_text(&c, "access_token"), first); /* the back end's cache */
    sim_do("POST", "/settings", "{\"identity_cache\":false,\"identity_lifetime_s\":60}");
    machine_imds(&c, "&" RESOURCE, metadata);
    assert_string_not_equal(client_text(&c, "access_token"), first);
    assert_string_equal(client_text(&c, "expires_in"), "60");
    sim_do("POST", "/settings", "{\"identity_cache\":true,\"identity_lifetime_s\":86399}");
    sim_do("DELETE", "/identities/" SYSTEM, NULL);
    machine_imds(&c, "&" RESOURCE, metadata); /* the only one is taken */
    assert_string_equal(client_text(&c, "client_id"), USER);
    sim_do("POST", "/identities",
           "{\"client_id\":\"55555555-0000-4000-8000-000000000000\",\"object_id\":\"55555555-0000-"
           "4000-8000-000000000001\",\"resource_id\":\"/subscriptions/x/other\"}");
    machine_imds(&c, "&" RESOURCE, metadata);
    assert_refused(&c, 400, "Multiple user assigned identities");
    machine_imds(&c, "&" RESOURCE "&msi_res_id=/subscriptions/x/other", metadata);
    snprintf(c.token, sizeof c.token, "%s", client_text(&c, "access_token"));
    assert_int_equal(client_get(&c, VAULT, "/keys/tested" V), 403); /* nothing was granted */
    sim_do("DELETE", "/identities/55555555-0000-4000-8000-000000000000", NULL);
    sim_do("POST", "/identities",
           "{\"client_id\":\"" SYSTEM "\",\"object_id\":\"22222222-aaaa-4444-8555-666666666666\"}");
    machine_imds(&c, "&" RESOURCE, metadata);
    assert_string_equal(client_text(&c, "client_id"), SYSTEM);
    client_close(&c);
}

void test_machine_faults(void **state)
{
    (void)state;
    struct client c;
    client_open(&c);
    sim_do("DELETE", "/counters", NULL);
    sim_do("POST", "/faults",
           "{\"host\":\"imds\",\"path\":\"oauth2\",\"action\":\"status\",\"status\":410,"
           "\"error\":\"gone\",\"message\":\"updating\"}");
    machine_imds(&c, "&" RESOURCE, metadata);
    assert_refused(&c, 410, "updating");
    assert_string_equal(client_text(&c, "error"), "gone");
    assert_int_equal(machine_imds(&c, "&" RESOURCE, metadata), 200);
    assert_int_equal(sim_count("imds"), 2);
    assert_int_equal(sim_count("handshakes"), 0);
    client_close(&c);
}

static long machine_arc(struct client *client, const char *rest, const char *key)
{
    char url[512], endpoint[128], line[256];
    sim_env("identity-arc.env", "IDENTITY_ENDPOINT", endpoint, sizeof endpoint);
    snprintf(url, sizeof url, "%s?api-version=2020-06-01&" RESOURCE "%s", endpoint, rest);
    snprintf(line, sizeof line, "Authorization: Basic %s", key != NULL ? key : "");
    const char *const headers[3] = {"Metadata: true", key != NULL ? line : NULL, NULL};
    return client_fetch(client, url, headers, NULL);
}

/* Gets the challenge and reads the file that it names. */
static void arc_key(struct client *client, char key[128], char path[256])
{
    assert_int_equal(machine_arc(client, "", NULL), 401);
    assert_int_equal(sscanf(client->challenge, "Basic realm=%255s", path), 1);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    assert_non_null(fgets(key, 128, in));
    fclose(in);
}

void test_arc(void **state)
{
    (void)state;
    struct client c;
    char key[128], path[256], folder[256];
    client_open(&c);
    snprintf(folder, sizeof folder, "%s/arc-tokens/", sim_folder());
    arc_key(&c, key, path);
    assert_memory_equal(path, folder, strlen(folder));
    assert_string_equal(path + strlen(path) - 4, ".key");
    assert_int_equal(machine_arc(&c, "", "not-the-key"), 401);
    assert_string_equal(client_text(&c, "error.code"), "Unauthorized");
    assert_int_equal(machine_arc(&c, "", key), 200);
    assert_int_equal(access(path, F_OK), -1);
    assert_token_works(&c);
    assert_int_equal(machine_arc(&c, "", key), 401); /* a file per request */
    arc_key(&c, key, path);
    assert_int_equal(machine_arc(&c, "&client_id=" USER, key), 200);
    assert_string_equal(client_text(&c, "client_id"), USER);
    arc_key(&c, key, path);
    assert_int_equal(machine_arc(&c, "&object_id=" USER_OID, key), 200);
    assert_string_equal(client_text(&c, "object_id"), USER_OID);
    arc_key(&c, key, path);
    assert_int_equal(machine_arc(&c, "&msi_res_id=" USER_ARM, key), 200);
    assert_true(client_text(&c, "msi_res_id")[0] == '/');
    sim_do("POST", "/settings", "{\"arc_is_old\":true}");
    arc_key(&c, key, path);
    assert_int_equal(machine_arc(&c, "&client_id=" USER, key),
                     200); /* the machine's own, no echo */
    assert_string_equal(client_text(&c, "client_id"), "");
    sim_do("POST", "/settings", "{\"arc_is_old\":false}");
    assert_int_equal(sim_count("leaked_secrets"), 0);
    arc_key(&c, key, path);
    snprintf(folder, sizeof folder, "&other=%s", key);
    machine_arc(&c, folder, NULL);
    assert_int_equal(sim_count("leaked_secrets"), 1);
    sim_do("DELETE", "/counters", NULL);
    client_close(&c);
}

static long app_service(struct client *client, const char *file, const char *header,
                        const char *rest)
{
    char url[512], endpoint[128], secret[64], line[128];
    sim_env(file, "IDENTITY_ENDPOINT", endpoint, sizeof endpoint);
    sim_env(file, "IDENTITY_HEADER", secret, sizeof secret);
    snprintf(url, sizeof url, "%s?" RESOURCE "%s", endpoint, rest);
    snprintf(line, sizeof line, "%s: %s", header, secret);
    const char *const headers[3] = {line, NULL, NULL};
    return client_fetch(client, url, headers, NULL);
}

void test_app_service(void **state)
{
    (void)state;
    static const char *const none[3] = {NULL, NULL, NULL};
    struct client c;
    char former[64], line[128], endpoint[128], url[512];
    client_open(&c);
    assert_int_equal(app_service(&c, "identity-app-service.env", "X-IDENTITY-HEADER",
                                 "&api-version=2019-08-01&mi_res_id=" USER_ARM),
                     200);
    assert_string_equal(client_text(&c, "client_id"), USER);
    assert_true(atol(client_text(&c, "expires_on")) > 1700000000);
    assert_null(cJSON_GetObjectItemCaseSensitive(c.json, "expires_in"));
    assert_token_works(&c);
    assert_int_equal(app_service(&c, "identity-aci.env", "secret", "&principalId=" USER_OID), 200);
    assert_string_equal(client_text(&c, "client_id"), USER);
    sim_env("identity-app-service.env", "IDENTITY_ENDPOINT", endpoint, sizeof endpoint);
    snprintf(url, sizeof url, "%s/?api-version=2019-08-01&" RESOURCE, endpoint); /* as msal-node */
    assert_int_equal(client_fetch(&c, url, none, NULL), 401);
    sim_env("identity-app-service.env", "IDENTITY_HEADER", former, sizeof former);
    sim_do("POST", "/identities/rotate", NULL);
    snprintf(line, sizeof line, "X-IDENTITY-HEADER: %s", former);
    const char *const headers[3] = {line, NULL, NULL};
    assert_int_equal(client_fetch(&c, url, headers, NULL), 401);
    assert_string_equal(client_text(&c, "message"), "The identity header is not valid.");
    assert_int_equal(
        app_service(&c, "identity-app-service.env", "X-IDENTITY-HEADER", "&api-version=2019-08-01"),
        200);
    assert_int_equal(sim_count("leaked_secrets"), 0);
    machine_imds(&c, "&" RESOURCE, headers);
    assert_int_equal(sim_count("leaked_secrets"), 1);
    sim_do("DELETE", "/counters", NULL);
    client_close(&c);
}
