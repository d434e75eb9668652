#include "vault_fixture.h"

#include <string.h>

#include "net/http_retry.h"

#define SECRET "11111111222243338444555555555555Canary~Secret"

struct config config;
struct call call;
struct vault vault;

int vault_set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    scripted_http_reset();
    http_retry_reset();
    challenge_forget_all();
    config_defaults(&config);
    call_begin(&call, "Test", &config);
    if (address_parse(&config, "contoso", &vault.address) != EKM_OK) {
        return -1;
    }
    return credential_open(&call, SECRET, strlen(SECRET), &vault.credential) == EKM_OK ? 0 : -1;
}

int vault_tear_down(void **state)
{
    (void)state;
    credential_release(vault.credential);
    token_forget_all();
    return 0;
}

void script(long status, const char *body)
{
    scripted_http_add(&(struct scripted_answer){.status = status, .body = body});
}

void script_401(const char *authenticate)
{
    scripted_http_add(&(struct scripted_answer){
        .status = 401,
        .authenticate = authenticate,
        .body = "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"AKV10000\"}}"});
}
