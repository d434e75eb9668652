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

/* Made for this test alone; it protects nothing. */
static const char test_jwk[] =
    "{\"kty\":\"RSA\""
    ",\"n\":\"05w_6S9LreoWoa7w6-yYSZroOcfvSi0wS9tbdNZ9fUVY2pyo5lkjaytzskW0fdsXSrg_6UqNJcEm"
    "SyYKPoYaz7EFHUr1ZiXTWBSHUnNJaMwhuIIejiIeX2_RS5NJ9QaarcSMPIaIKD5a44--CtVNpYfu"
    "-DjzadRuBg3w5xorZPEwYb-euqlcmSG9k6bMwCKginud5wX9gZzh9OEeBQj0galaIG6YIJK7q7dE"
    "3BFsT5QI_AXEOkn6PZP9yaiqaC1Akpi5zmZI8D0qZWN4tERmGtOJGf4aY98i460E8MIPcDPMjJwl"
    "jZ_woQAaOnq_qZi--H4SkW2rGMjbyVVsYpeWHw\""
    ",\"e\":\"AQAB\""
    ",\"d\":\"HG6KgcS6iOACcW_la_WKkp0vJZBQ_Ojsa8zJ0X1-N-Yo5ZqV8Pk6Eoywi1vlP-G_k-kEoU5Ef7Wf"
    "dQpj5vmywYQZ2VE4fqSHbHa5peDalKuUvksxWsyHwy_tcZeVIMhl4QIfC4TR54JVSO0HzkHRoHOO"
    "rqhMQERsEgEuhIaWHQYyNF7fejpK7YDyNCKN_pBXGx0YNJB68xph6b-n7XMR7M0IQWW8GGDSh6gv"
    "nkJ0z2eh6KF5bd30t_o4VQkVoOXI8bHR6DAA6R8s7mTCrQeotKbZNxeiF6DPeIvSzW0V1sbJVyn_"
    "daU2ZPlcEZdJE_22xVpk3gh6F96TtacqdwGUlQ\""
    ",\"p\":\"_9KcrJq7pORcNZ9mr0L1c9Yp6cijdUd6c2e0sSqMg-cyzpvCzl5GJmwlWmgyASinw9NwK3jUxzUh"
    "VBBwjIZ307dCHfxq55RllZtPwUb6gSGibj7I8ee5wcKa2P1cqjPdx5ROpEmbX6bb5qjhhPrQ4uVy"
    "BJfWwme6Xl5gonqK2Ds\""
    ",\"q\":\"08HLItGR193Tc20oDcHWJ60WuGNEcQKU1SU1GSodzBWhhwOWn5XvwaSbI2_Qnlaw7G93k82r9JJ4"
    "9nfWSD29r709h82uicffuFQqvXcxVe0u5jUPtQPU0OOS1mWgSgNZjGCtt7NCeb4ZTER5CnFqCMlM"
    "nmVaJKxTzAnQMn2ZP20\""
    ",\"dp\":\"EO7t8_biCM4c1GfSsjMqcBpy98iSGUc78buhmECKwIhjMo3Y3TQcTJrH9i4DcVQxlqK-QAJlgzIf"
    "HKNh78tOzzLIK5fzs5R9DOQU6WQ7XKTPTaDWSDzgbNTmzwomQhXgzj8g3XsJz9EJqUDwfI7lmL87"
    "RtaOHpwjF_ADUX3vBtU\""
    ",\"dq\":\"ASP9FR3t3CzMs8V1vsU5gxMymSGnv7gU1yURKSaJ7Ix9Rz3ktM1Y8kERuNokVIYBA_UBvuEPuQyE"
    "7Ebu94qll-m8CBw6gXF7KgICDO00bdMOOp00jXQM1Gc1ZkQ73cow1Em9Bc1IYWF9v2RrBnxf5tY2"
    "vG-tUZ9AAExZO7xjc-0\""
    ",\"qi\":\"qMzDCFaPhv706ZvfVTOvB5KjFF208wBXLWe616yMy35aS3DRkEqHUONR6IcPzzhwTk3Dl_xC5DGz"
    "G405uDmNOoDn15_FPMssKh86lrtpPc6BOvhYvpFDpP60R0IbMQTVWPs1l7qfDtHRPatOilRY4a6E"
    "V3WBfr8mXspK6K_iP-w\""
    "}";

static void restart_open_signed_in(struct client *client)
{
    client_open(client);
    assert_int_equal(client_sign_in(client, "vault.azure.net"), 200);
}

/* The same key in another vault opens what the first one wrapped. */
void test_restore(void **state)
{
    (void)state;
    struct client c;
    char body[1024], *pem = NULL, *json = NULL;
    restart_open_signed_in(&c);
    wrap_hello(&c, "tested", body, sizeof body);
    pem = sim_read("/keys/pem?vault=" VAULT "&name=tested");
    assert_non_null(strstr(pem, "BEGIN PRIVATE KEY"));
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "vault", "second-vault.vault.azure.net");
    cJSON_AddStringToObject(request, "name", "restored");
    cJSON_AddStringToObject(request, "version", "0123456789abcdef0123456789abcdef");
    cJSON_AddStringToObject(request, "pem", pem);
    json = cJSON_PrintUnformatted(request);
    sim_do("POST", "/keys", json);
    assert_int_equal(client_post(&c, "second-vault.vault.azure.net",
                                 "/keys/restored/0123456789abcdef0123456789abcdef/unwrapkey" V,
                                 body),
                     200);
    assert_string_equal(client_text(&c, "value"), "aGVsbG8");
    free(pem);
    free(json);
    cJSON_Delete(request);
    client_close(&c);
}

void test_import(void **state)
{
    (void)state;
    struct client c;
    char *body = NULL;
    restart_open_signed_in(&c);
    assert_true(asprintf(&body, "{\"key\":%s}", test_jwk) > 0);
    assert_int_equal(client_send(&c, "PUT", VAULT, "/keys/imported" V, body, NULL), 200);
    assert_string_equal(client_text(&c, "key.kty"), "RSA");
    free(body);
    assert_true(asprintf(&body, "{\"vault\":\"" VAULT "\",\"name\":\"imported2\",\"jwk\":%s}",
                         test_jwk) > 0);
    sim_do("POST", "/keys", body);
    free(body);
    body = malloc(1024);
    assert_non_null(body);
    wrap_hello(&c, "imported", body, 1024);
    assert_int_equal(client_post(&c, VAULT, "/keys/imported2/unwrapkey" V, body), 200);
    assert_string_equal(client_text(&c, "value"), "aGVsbG8");
    assert_int_equal(client_send(&c, "PUT", VAULT, "/keys/imported" V,
                                 "{\"key\":{\"kty\":\"RSA\",\"n\":\"AQAB\"}}", NULL),
                     400);
    free(body);
    client_close(&c);
}

void test_restart(void **state)
{
    (void)state;
    struct client c;
    char body[1024], kid[256];
    int port = sim_port();
    restart_open_signed_in(&c);
    wrap_hello(&c, "tested", body, sizeof body);
    snprintf(kid, sizeof kid, "%s", client_text(&c, "kid"));
    sim_do("POST", "/faults", "{\"action\":\"hang\",\"times\":0,\"path\":\"slowly\"}");
    sim_stop();
    sim_start();
    assert_int_equal(sim_port(), port);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, body), 401);
    assert_int_equal(client_sign_in(&c, "vault.azure.net"), 200);
    assert_int_equal(client_post(&c, VAULT, "/keys/tested/unwrapkey" V, body), 200);
    assert_string_equal(client_text(&c, "value"), "aGVsbG8");
    assert_string_equal(client_text(&c, "kid"), kid);
    client_close(&c);
}
