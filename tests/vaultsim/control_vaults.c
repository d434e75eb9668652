#include "control_vaults.h"

#include <stdlib.h>
#include <string.h>

#include "cloud.h"
#include "encode.h"
#include "keystore.h"
#include "state.h"

#define FAILOVER_MS 300000

static void control_vaults_finish(const char *problem, unsigned status, struct answer *answer)
{
    if (problem != NULL) {
        answer_error(answer, status, "BadRequest", NULL, "%s", problem);
        return;
    }
    state_save();
    answer_json(answer, 200, cJSON_CreateObject());
}

void control_vaults_list(struct answer *answer)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "vaults", store_vault_list());
    answer_json(answer, 200, json);
}

void control_vaults_add(const cJSON *json, struct answer *answer)
{
    const char *host = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "host"));
    if (host == NULL || strlen(host) > 250) {
        control_vaults_finish("host is missing or too long", 400, answer);
    } else if (!cloud_covers(host)) {
        control_vaults_finish("the certificate does not name this host: start with --vault HOST",
                              400, answer);
    } else {
        control_vaults_finish(store_vault_add(host) ? NULL : "the vault exists already", 409,
                              answer);
    }
}

void control_vaults_remove(const char *host, struct answer *answer)
{
    control_vaults_finish(store_vault_remove(host) ? NULL : "no such vault", 404, answer);
}

static void control_vaults_firewall(const char *host, const cJSON *json, struct answer *answer)
{
    static const char *const words[] = {"none", "firewall", "connection", "nsp"};
    static const enum vault_deny denials[] = {DENY_NONE, DENY_FIREWALL, DENY_CONNECTION, DENY_NSP};
    const char *deny = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "deny"));
    for (size_t i = 0; deny != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(deny, words[i]) == 0) {
            control_vaults_finish(store_vault_deny(host, denials[i]) ? NULL : "no such vault", 404,
                                  answer);
            return;
        }
    }
    control_vaults_finish("deny is firewall, connection, nsp or none", 400, answer);
}

/* {"for_ms"}: the vault is read-only for so long; 0 ends it. */
static void control_vaults_failover(const char *host, const cJSON *json, struct answer *answer)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "for_ms");
    double for_ms = cJSON_IsNumber(item) ? item->valuedouble : FAILOVER_MS;
    int64_t until_ms = for_ms > 0 ? clock_ms() + (int64_t)for_ms : 0;
    control_vaults_finish(store_vault_read_only(host, until_ms) ? NULL : "no such vault", 404,
                          answer);
}

void control_vaults_change(const char *rest, const cJSON *json, struct answer *answer)
{
    size_t host_len = strcspn(rest, "/");
    char *host = must(strndup(rest, host_len));
    if (strcmp(rest + host_len, "/firewall") == 0) {
        control_vaults_firewall(host, json, answer);
    } else if (strcmp(rest + host_len, "/failover") == 0) {
        control_vaults_failover(host, json, answer);
    } else {
        control_vaults_finish("no such path", 404, answer);
    }
    free(host);
}
