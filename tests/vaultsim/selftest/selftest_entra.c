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
#include "sign.h"

#define FORM   "application/x-www-form-urlencoded"
#define TOKEN  "/" TENANT "/oauth2/v2.0/token"
#define OTHER  "99999999-2222-4333-8444-555555555555"
#define ISSUER "https://oidc.vaultsim.test/"

static int number_of(const struct client *client)
{
    const cJSON *codes = cJSON_GetObjectItemCaseSensitive(client->json, "error_codes");
    const cJSON *code = cJSON_GetArrayItem(codes, 0);
    return code != NULL ? code->valueint : 0;
}

static long entra_ask(struct client *client, const char *assertion, const char *scope)
{
    char form[4096];
    snprintf(form, sizeof form,
             "grant_type=client_credentials&client_id=" CLIENT "&scope=%s&client_assertion_type="
             "urn%%3Aietf%%3Aparams%%3Aoauth%%3Aclient-assertion-type%%3Ajwt-bearer"
             "&client_assertion=%s",
             scope, assertion);
    client->token[0] = '\0';
    return client_send(client, "POST", LOGIN, TOKEN, form, FORM);
}

#define SCOPE "https%3A%2F%2Fvault.azure.net%2F.default"

static void assert_answer(struct client *client, const struct sign_what *what, int number)
{
    char *assertion = sign_assertion(what);
    entra_ask(client, assertion, SCOPE);
    if (number != 0) {
        assert_int_equal(number_of(client), number);
        assert_string_equal(client_text(client, "error"), "invalid_client");
        assert_int_equal(client->status, 401);
        assert_non_null(strstr(client_text(client, "error_description"), "\r\nTrace ID: "));
    } else {
        assert_int_equal(client->status, 200);
        snprintf(client->token, sizeof client->token, "%s", client_text(client, "access_token"));
        assert_int_equal(client_get(client, VAULT, "/keys/tested" V), 200);
    }
    free(assertion);
}

static void register_certificate(void)
{
    char json[9000];
    snprintf(json, sizeof json, "{\"client_id\":\"" CLIENT "\",\"certificates\":[\"%s\"]}",
             sign_certificate());
    sim_do("POST", "/clients", json);
}

void test_assertions(void **state)
{
    (void)state;
    static const struct {
        struct sign_what what;
        int number;
    } rows[] = {
        {{.thumbprint = SIGN_S256}, 0},
        {{.thumbprint = SIGN_S256_PAD}, 0},
        {{.alg = "RS256", .thumbprint = SIGN_X5T}, 0},
        {{.alg = "RS256", .thumbprint = SIGN_X5T_PAD}, 0},
        {{.has_text_times = true}, 0},
        {{.aud = "https://" LOGIN "/" TENANT "/v2.0"}, 0},
        {{.aud = "https://login.windows.net/" TENANT "/oauth2/token"}, 0},
        {{.nbf_s = -7200, .exp_s = -3600}, 700024},
        {{.nbf_s = 3600, .exp_s = 7200}, 700024},
        {{.aud = "https://vault.azure.net"}, 700023},
        {{.aud = "https://login.microsoftonline.us/" TENANT "/oauth2/v2.0/token"}, 700023},
        {{.aud = "https://" LOGIN "/" OTHER "/oauth2/v2.0/token"}, 700023},
        {{.sub = OTHER}, 700021},
        {{.iss = OTHER}, 700021},
        {{.has_other_key = true}, 700027},
        {{.thumbprint = SIGN_NONE}, 50027},
    };
    struct client c;
    client_open(&c);
    sign_open();
    assert_answer(&c, &rows[0].what, 700027); /* not registered yet */
    register_certificate();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_answer(&c, &rows[i].what, rows[i].number);
    }
    struct sign_what twice = {.jti = "once-and-no-more"};
    assert_answer(&c, &twice, 0);
    assert_answer(&c, &twice, 50012);
    entra_ask(&c, "no.such.assertion", SCOPE);
    assert_int_equal(number_of(&c), 50027);
    sim_do("POST", "/settings", "{\"clock_offset_s\":-3600}");
    assert_answer(&c, &rows[0].what, 700024);
    sim_do("POST", "/settings", "{\"clock_offset_s\":0}");
    assert_int_equal(sim_count("leaked_secrets"), 0);
    char *assertion = sign_assertion(&rows[0].what);
    entra_ask(&c, assertion, SCOPE);
    snprintf(c.token, sizeof c.token, "%s", assertion); /* sent to a vault: a leak */
    client_get(&c, VAULT, "/keys/tested" V);
    assert_int_equal(sim_count("leaked_secrets"), 1);
    sim_do("DELETE", "/counters", NULL);
    free(assertion);
    sign_close();
    client_close(&c);
}

static void entra_mint(const char *json, char *token, size_t cap)
{
    cJSON *answer = sim_ctl("POST", "/oidc/token", json);
    FILE *in = fopen(cJSON_GetObjectItemCaseSensitive(answer, "file")->valuestring, "r");
    assert_non_null(in);
    token[fread(token, 1, cap - 1, in)] = '\0';
    fclose(in);
    cJSON_Delete(answer);
}

void test_federation(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int number;
    } rows[] = {
        {"{}", 0},
        {"{\"alg\":\"PS256\"}", 0},
        {"{\"issuer\":\"https://oidc.example.com/\"}", 700211},
        {"{\"subject\":\"system:serviceaccount:default:SQL\"}", 700213},
        {"{\"audience\":\"api://AzureADTokenexchange\"}", 700212},
        {"{\"lifetime_s\":-3600,\"nbf_s\":-7200}", 700024},
        {"{\"key\":\"other\"}", 7000272},
        {"{\"key\":\"forged\"}", 700027},
    };
    struct client c;
    char token[2048];
    client_open(&c);
    entra_mint("{}", token, sizeof token);
    entra_ask(&c, token, SCOPE);
    assert_int_equal(number_of(&c), 70021); /* nothing registered */
    assert_int_equal(c.status, 400);
    sim_do("POST", "/clients", "{\"client_id\":\"" CLIENT "\",\"federated\":[{}]}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        entra_mint(rows[i].json, token, sizeof token);
        entra_ask(&c, token, SCOPE);
        assert_int_equal(number_of(&c), rows[i].number);
        assert_int_equal(c.status, rows[i].number == 0 ? 200 : 401);
    }
    sim_do("POST", "/clients",
           "{\"client_id\":\"" CLIENT "\",\"federated\":[{\"issuer\":\"https://oidc.example.com/\""
           "}]}");
    entra_mint(rows[2].json, token, sizeof token);
    entra_ask(&c, token, SCOPE);
    assert_int_equal(number_of(&c), 90061);
    entra_mint("{\"audience\":\"api://AKSIdentityBinding\"}", token, sizeof token);
    sim_do("POST", "/clients",
           "{\"client_id\":\"" CLIENT "\",\"federated\":[{\"audience\":\"api://AKSIdentityBinding\""
           "}]}");
    char form[4096];
    snprintf(form, sizeof form,
             "grant_type=client_credentials&client_id=" CLIENT
             "&scope=https://vault.azure.net/.default"
             "&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
             "&client_assertion=%s",
             token);
    assert_int_equal(
        client_send(&c, "POST", "token-proxy.vaultsim.test", "/aks-token-proxy" TOKEN, form, FORM),
        200);
    assert_int_equal(client_get(&c, "oidc.vaultsim.test", "/.well-known/openid-configuration"),
                     200);
    assert_string_equal(client_text(&c, "issuer"), ISSUER);
    assert_int_equal(client_get(&c, "oidc.vaultsim.test", "/openid/v1/jwks"), 200);
    client_close(&c);
}

static void imds_token(struct client *client, const char *rest, char *token, size_t cap)
{
    static const char *const headers[3] = {"Metadata: true", NULL, NULL};
    char url[512], base[128];
    sim_env("identity.env", "AZURE_POD_IDENTITY_AUTHORITY_HOST", base, sizeof base);
    snprintf(url, sizeof url, "%s/metadata/identity/oauth2/token?api-version=2018-02-01&%s", base,
             rest);
    assert_int_equal(client_fetch(client, url, headers, NULL), 200);
    snprintf(token, cap, "%s", client_text(client, "access_token"));
}

/* A managed identity's token as an application's assertion. */
void test_secretless(void **state)
{
    (void)state;
    static const struct {
        const char *rest;
        int number;
    } rows[] = {
        {"resource=api://AzureADTokenExchange&client_id=33333333-4444-4555-8666-777777777777", 0},
        {"resource=api://AzureADTokenExchange", 700227}, /* system-assigned */
        {"resource=https://vault.azure.net&client_id=33333333-4444-4555-8666-777777777777", 700212},
    };
    struct client c;
    char token[2048];
    client_open(&c);
    sim_do("POST", "/clients",
           "{\"client_id\":\"" CLIENT "\",\"federated\":[{\"issuer\":\"https://" LOGIN "/" TENANT
           "/v2.0\",\"subject\":\"33333333-aaaa-4555-8666-777777777777\"}]}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        imds_token(&c, rows[i].rest, token, sizeof token);
        sim_do("DELETE", "/counters", NULL);
        entra_ask(&c, token, SCOPE);
        assert_int_equal(number_of(&c), rows[i].number);
        /* Entra does not accept a token for the vault. */
        assert_int_equal(sim_count("leaked_secrets"), i == 2 ? 1 : 0);
    }
    client_sign_in(&c, "vault.azure.net");
    snprintf(token, sizeof token, "%s", c.token);
    entra_ask(&c, token, SCOPE);
    assert_int_equal(number_of(&c), 700222);
    sim_do("DELETE", "/counters", NULL);
    sim_do("POST", "/clients", "{\"client_id\":\"" CLIENT "\",\"federated\":[]}");
    client_close(&c);
}

void test_applications(void **state)
{
    (void)state;
    struct client c;
    client_open(&c);
    sim_do("POST", "/clients", "{\"client_id\":\"" CLIENT "\",\"disabled\":true}");
    client_sign_in(&c, "vault.azure.net");
    assert_int_equal(number_of(&c), 7000112);
    sim_do("POST", "/clients", "{\"client_id\":\"" CLIENT "\",\"disabled\":false,\"public\":true}");
    client_sign_in(&c, "vault.azure.net");
    assert_int_equal(number_of(&c), 700025);
    sim_do("POST", "/clients",
           "{\"client_id\":\"" CLIENT
           "\",\"public\":false,\"secrets\":[],\"expired_secrets\":[\"" SECRET "\"]}");
    client_sign_in(&c, "vault.azure.net");
    assert_int_equal(number_of(&c), 7000222);
    sim_do("POST", "/clients",
           "{\"client_id\":\"" CLIENT "\",\"secrets\":[\"" SECRET "\"],\"expired_secrets\":[]}");
    assert_int_equal(client_sign_in(&c, "vault.azure.net"), 200);
    sim_do("POST", "/faults",
           "{\"path\":\"oauth2\",\"action\":\"status\",\"status\":400,\"aadsts\":53003,\"error\":"
           "\"access_denied\",\"suberror\":\"message_only\",\"message\":\"Blocked.\"}");
    assert_int_equal(client_sign_in(&c, "vault.azure.net"), 400);
    assert_int_equal(number_of(&c), 53003);
    assert_string_equal(client_text(&c, "error"), "access_denied");
    assert_string_equal(client_text(&c, "suberror"), "message_only");
    client_close(&c);
}

void test_documents(void **state)
{
    (void)state;
    struct client c;
    client_open(&c);
    sim_do("DELETE", "/counters", NULL);
    assert_int_equal(client_get(&c, LOGIN,
                                "/common/discovery/instance?api-version=1.1&authorization_endpoint="
                                "https%3A%2F%2Flogin.microsoftonline.com%2F" TENANT
                                "%2Foauth2%2Fv2.0%2Fauthorize"),
                     200);
    assert_string_equal(client_text(&c, "tenant_discovery_endpoint"),
                        "https://" LOGIN "/" TENANT "/v2.0/.well-known/openid-configuration");
    const cJSON *clouds = cJSON_GetObjectItemCaseSensitive(c.json, "metadata");
    const cJSON *first = cJSON_GetArrayItem(clouds, 0);
    assert_string_equal(cJSON_GetObjectItem(first, "preferred_cache")->valuestring,
                        "login.windows.net");
    assert_int_equal(client_get(&c, LOGIN, "/" TENANT "/v2.0/.well-known/openid-configuration"),
                     200);
    assert_string_equal(client_text(&c, "token_endpoint"), "https://" LOGIN TOKEN);
    assert_string_equal(client_text(&c, "issuer"), "https://" LOGIN "/" TENANT "/v2.0");
    assert_int_equal(client_get(&c, LOGIN, "/common/v2.0/.well-known/openid-configuration"), 200);
    assert_int_equal(client_get(&c, LOGIN, "/" OTHER "/v2.0/.well-known/openid-configuration"),
                     400);
    assert_int_equal(number_of(&c), 90002);
    assert_int_equal(sim_count("token_requests"), 0);
    assert_int_equal(client_send(&c, "POST", LOGIN, TOKEN,
                                 "grant_type=client_credentials&client_id=" CLIENT
                                 "&client_secret=" SECRET
                                 "&scope=openid+profile+offline_access+" SCOPE,
                                 FORM),
                     200);
    client_close(&c);
}
