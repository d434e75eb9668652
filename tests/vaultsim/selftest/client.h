/*
 * Shared by the self tests: a vaultsim of their own and an HTTPS client that trusts its CA. Every
 * function fails the running test if it does not succeed. struct client belongs to one thread.
 */
#ifndef VAULTSIM_SELFTEST_CLIENT_H
#define VAULTSIM_SELFTEST_CLIENT_H

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <sys/types.h>

#define VAULT  "contoso-vault.vault.azure.net"
#define HSM    "contoso-hsm.managedhsm.azure.net"
#define LOGIN  "login.microsoftonline.com"
#define TENANT "72f988bf-0000-4000-8000-2d7cd011db47"
#define CLIENT "11111111-2222-4333-8444-555555555555"
#define SECRET "Sim~Secret-0.with_hyphens-1"
#define V      "?api-version=7.4"

void sim_program(const char *path);
void sim_start(void);
void sim_stop(void); /* keeps the folder */
void sim_remove(void);
int sim_port(void);
/* `vaultsim ctl`; json may be NULL. The answer; the caller deletes it. */
cJSON *sim_ctl(const char *method, const char *path, const char *json);
char *sim_read(const char *path); /* GET, the text; the caller frees it */
void sim_do(const char *method, const char *path, const char *json);
long sim_count(const char *name);
const char *sim_folder(void);
/* A value of one of the environment files; "" if it is not there. */
void sim_env(const char *file, const char *name, char *out, size_t cap);

struct client {
    CURL *curl;
    char token[2048]; /* "": none is sent */
    long timeout_ms;  /* 0: 20 s */
    CURLcode rc;
    long status;
    char *body;
    size_t body_len;
    char challenge[512], retry_after[32], request_id[64], correlation[64];
    char fields[4096]; /* all header lines of the answer, as they came */
    cJSON *json;       /* the body, if it is JSON */
};
void client_open(struct client *client);
void client_close(struct client *client);
/* body NULL: none; the status, 0 if there was no answer. content_type NULL: JSON. */
long client_send(struct client *client, const char *method, const char *host, const char *path,
                 const char *body, const char *content_type);
/* GET of any URL with up to three header lines; proxy NULL: none. */
long client_fetch(struct client *client, const char *url, const char *const headers[3],
                  const char *proxy);
long client_get(struct client *client, const char *host, const char *path);
long client_post(struct client *client, const char *host, const char *path, const char *body);
/* Signs in as CLIENT for https://<resource>; the token is kept. The status. */
long client_sign_in(struct client *client, const char *resource);
/* The string at a dotted path of the answer, "" if there is none. */
const char *client_text(const struct client *client, const char *path);

#endif
