/* The vault itself, with the library's own requests: sign-in, permissions, the key, wrap and
 * unwrap. */
#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "provider/key_lookup.h"
#include "tool/doctor_report.h"
#include "tool/explain.h"
#include "tool/keys.h"
#include "vault/challenge.h"
#include "vault/credential_slots.h"
#include "vault/expiry.h"
#include "vault/token.h"

static void vault_step_begin(struct doctor *doctor, const char *operation)
{
    doctor_begin(doctor);
    connection_begin_call(&doctor->connection, &doctor->call, operation);
}

/* Counts a request, and reports its failure. */
static bool vault_step_end(struct doctor *doctor, const char *step, enum ekm_rc rc)
{
    doctor->requests++;
    doctor->throttled += rc == EKM_THROTTLED || (doctor->signed_in && doctor->call.tries > 1);
    if (rc != EKM_OK) {
        doctor_report_failure(doctor, step, rc);
        return false;
    }
    return true;
}

static void vault_report_certificate(struct doctor *doctor)
{
    int64_t end_s = doctor->connection.vault.credential->expiry_s;
    if (end_s == 0) {
        return;
    }
    char end[DOCTOR_END_MAX];
    enum doctor_outcome outcome = doctor_judge_end(end_s, EXPIRY_WARN_DAYS, end);
    doctor_report(doctor, "certificate", outcome,
                  "renew it in time: docs/admin.md, Renewing a certificate",
                  "the certificate that signs in is good until %s", end);
}

/* Entra does not tell an application when its secret ends. */
static void vault_report_secret(struct doctor *doctor)
{
    const struct credential *credential = doctor->connection.vault.credential;
    int64_t end_s = expiry_of_secret(doctor->connection.config, credential->who.client_id);
    if (credential->who.form != SIGN_IN_SECRET) {
        return;
    }
    if (end_s == 0) {
        doctor_report(doctor, "secret", DOCTOR_SKIPPED, NULL,
                      "when the client secret ends is not known: set secret_expires");
        return;
    }
    char end[DOCTOR_END_MAX];
    enum doctor_outcome outcome = doctor_judge_end(end_s, EXPIRY_WARN_DAYS, end);
    doctor_report(doctor, "secret", outcome,
                  "make a new one in time: docs/admin.md, A new client secret",
                  "the client secret is good until %s, as secret_expires has it", end);
}

static bool vault_is_of_challenge(enum ekm_rc rc)
{
    return rc == EKM_CHALLENGE_FOREIGN || rc == EKM_CHALLENGE_MALFORMED ||
           rc == EKM_CHALLENGE_NO_RESOURCE || rc == EKM_NOT_VAULT || rc == EKM_NOT_VAULT_PASSING;
}

static void vault_report_sign_in(struct doctor *doctor)
{
    struct challenge challenge;
    bool guessed = true;
    struct vault *vault = &doctor->connection.vault;
    vault_step_begin(doctor, "OpenSession");
    enum ekm_rc rc = vault_authenticate(&doctor->call, vault);
    bool known = challenge_recall(&vault->address, &challenge, &guessed) && !guessed;
    if (known) {
        doctor_report(doctor, "challenge", DOCTOR_OK, NULL, "tenant %s at %s", challenge.tenant,
                      challenge.authority);
    }
    if (rc == EKM_BAD_CREDENTIALS && doctor->connection.odd[0] != '\0') {
        call_add_note(&doctor->call, doctor->connection.odd);
    }
    const char *step = !known && vault_is_of_challenge(rc) ? "challenge" : "sign-in";
    if (vault_step_end(doctor, step, rc)) {
        doctor->signed_in = true;
        doctor_report(doctor, "sign-in", DOCTOR_OK, NULL, "Entra gave a token%s%s",
                      vault->credential->described[0] != '\0' ? ": " : "",
                      vault->credential->described);
        vault_report_certificate(doctor);
        vault_report_secret(doctor);
    }
}

static void vault_report_key(struct doctor *doctor)
{
    const struct vault_key *key = &doctor->found;
    char facts[120];
    int64_t now_s = plat_unix_time_ms() / 1000;
    keys_describe(key, facts, sizeof facts);
    connection_begin_call(&doctor->connection, &doctor->call, "GetKey");
    enum ekm_rc rc = key_lookup_check(&doctor->call, key);
    if (rc != EKM_OK) {
        doctor_report_failure(doctor, "key", rc);
        return;
    }
    bool is_late = key->expires_s != 0 && key->expires_s <= now_s;
    bool is_early = key->not_before_s > now_s;
    if (is_late || is_early) {
        doctor_report(doctor, "key", DOCTOR_FAILED, explain_todo(ekm_code(EKM_KEY_EXPIRED)),
                      "5005: the key %s: %s", is_late ? "expired" : "is not valid yet", facts);
        return;
    }
    char days[40] = "";
    int64_t left = key->expires_s != 0 ? expiry_days_left(key->expires_s) : INT64_MAX;
    if (key->expires_s != 0) {
        (void)text_format(days, sizeof days, ", %lld days", (long long)left);
    }
    doctor_report(doctor, "key", left < EXPIRY_WARN_DAYS ? DOCTOR_WARNING : DOCTOR_OK,
                  "the key expires soon: rotate it (docs/admin.md, Rotation)",
                  "%s/%s: RSA %u bits, %s%s, may wrap and unwrap", key->id.name, key->id.version,
                  (unsigned)key->public.bits, facts, days);
    doctor_report(
        doctor, "purge", key->purge_protected ? DOCTOR_OK : DOCTOR_WARNING,
        "switch purge protection of the vault on: a purged key is lost for ever, with every "
        "database and backup under it",
        "the key %s purge protection", key->purge_protected ? "has" : "is without");
}

static enum ekm_rc vault_find_key(struct doctor *doctor)
{
    enum ekm_rc rc = key_lookup_parse_name(&doctor->call, doctor->options->key, &doctor->key);
    if (rc != EKM_OK) {
        return rc;
    }
    return vault_get_key(&doctor->call, &doctor->connection.vault, &doctor->key, &doctor->found);
}

static bool vault_report_get(struct doctor *doctor)
{
    vault_step_begin(doctor, "GetKey");
    enum ekm_rc rc = vault_find_key(doctor);
    if (!vault_step_end(doctor, "get", rc)) {
        return false;
    }
    doctor_report(doctor, "get", DOCTOR_OK, NULL, "may get the key");
    vault_report_key(doctor);
    return true;
}

/* Wraps and unwraps random bytes, as SQL Server does with the key of a database. */
static void vault_report_work(struct doctor *doctor)
{
    uint8_t plain[DOCTOR_PLAIN_BYTES];
    struct buf wrapped = BUF_EMPTY(RSA_MAX_BYTES), opened = BUF_EMPTY(RSA_MAX_BYTES);
    const struct vault *vault = &doctor->connection.vault;
    const struct config *config = doctor->connection.config;
    enum rsa_algorithm algorithm = config->wrap_auto ? RSA_OAEP_256 : config->wrap_algorithm;
    (void)plat_random(plain, sizeof plain);
    vault_step_begin(doctor, "Encrypt");
    enum ekm_rc rc = vault_wrap(&doctor->call, vault, &doctor->found.id, algorithm, plain,
                                sizeof plain, &wrapped);
    if (vault_step_end(doctor, "wrap", rc)) {
        doctor_report(doctor, "wrap", DOCTOR_OK, NULL, "may wrap (%s)",
                      rsa_algorithm_name(algorithm));
    } else {
        /* Tests the permission to unwrap all the same, because wrapping works without the vault. */
        buf_clear(&wrapped);
        rc = rsa_public_wrap(&doctor->found.public, algorithm, plain, sizeof plain, &wrapped);
    }
    if (wrapped.len == 0) {
        doctor_report(doctor, "unwrap", DOCTOR_SKIPPED, NULL, "nothing is wrapped");
        goto out;
    }
    vault_step_begin(doctor, "Decrypt");
    rc = vault_unwrap(&doctor->call, vault, &doctor->found.id, algorithm, wrapped.data, wrapped.len,
                      &opened);
    if (!vault_step_end(doctor, "unwrap", rc)) {
        goto out;
    }
    doctor_report_opened(doctor, "unwrap", "", plain, &opened,
                         "do not encrypt anything under this key; report it");
out:
    buf_free(&wrapped);
    buf_free(&opened);
    plat_wipe(plain, sizeof plain);
}

static bool vault_see_key(void *context, const struct vault_key *key)
{
    size_t *count = context;
    (void)key;
    (*count)++;
    return true;
}

static void vault_report_list(struct doctor *doctor)
{
    size_t count = 0;
    struct buf next = BUF_EMPTY(VAULT_LINK_MAX);
    vault_step_begin(doctor, "ListKeys");
    enum ekm_rc rc = vault_list_keys_page(&doctor->call, &doctor->connection.vault, vault_see_key,
                                          &count, &next);
    if (rc == EKM_FORBIDDEN) {
        doctor_report(doctor, "list", DOCTOR_WARNING,
                      "grant list as well: without it a lost map cannot be found again",
                      "3113: may not list the keys");
        doctor->requests++;
    } else if (vault_step_end(doctor, "list", rc)) {
        doctor_report(doctor, "list", DOCTOR_OK, NULL, "may list: %zu keys on the first page%s",
                      count, next.len > 0 ? ", and more" : "");
    }
    buf_free(&next);
}

/* `conn_type=Ipv4;addr=192.0.2.1;...`, from the response to the request without a token. */
static void vault_report_network(struct doctor *doctor)
{
    static const struct {
        const char *type, *words;
    } paths[] = {{"conn_type=Ipv4", "the public endpoint: "},
                 {"conn_type=Ipv6", "the public endpoint: "},
                 {"conn_type=ServiceEndpoint", "a service endpoint: "},
                 {"conn_type=PrivateLink", "a private endpoint: "}};
    const char *words = "";
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (text_equal_nocase_n(doctor->network, paths[i].type, strlen(paths[i].type))) {
            words = paths[i].words;
        }
    }
    doctor_begin(doctor);
    doctor_report(doctor, "network", DOCTOR_OK, NULL, "the vault saw this machine by %s%s", words,
                  doctor->network[0] != '\0' ? doctor->network
                                             : "a path that its answer does not tell");
}

/* The limits that Azure documents for one vault, in 10 s (docs/performance.md). */
static void vault_report_throttling(struct doctor *doctor)
{
    static const struct {
        unsigned bits, software, hsm;
    } limits[] = {{2048, 4000, 2000}, {3072, 1000, 500}, {4096, 500, 250}};
    char room[200] = "";
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (doctor->found.public.bits == limits[i].bits) {
            (void)text_format(room, sizeof room,
                              "; with such keys (RSA %u) a vault takes %u calls in 10 s, with HSM "
                              "keys %u: one for each database that opens, from all servers",
                              limits[i].bits, limits[i].software, limits[i].hsm);
        }
    }
    doctor_report(
        doctor, "throttling", doctor->throttled > 0 ? DOCTOR_WARNING : DOCTOR_OK,
        "after 429 others use the vault's limit up: spread databases over vaults, or raise "
        "call_timeout_ms",
        "%u of %u requests had to be repeated%s", doctor->throttled, doctor->requests, room);
}

void doctor_look_at_vault(struct doctor *doctor)
{
    if (doctor->connection.vault.address.host[0] == '\0' || doctor->credential != EKM_OK ||
        !doctor->reached) {
        doctor_report(doctor, "vault", DOCTOR_SKIPPED, NULL,
                      "sign-in, permissions and key are not tried: see what failed before");
        return;
    }
    vault_report_sign_in(doctor);
    if (!doctor->signed_in) {
        vault_report_network(doctor);
        doctor_report(doctor, "key", DOCTOR_SKIPPED, NULL,
                      "permissions and key are not tried without a token");
        return;
    }
    if (vault_report_get(doctor)) {
        vault_report_work(doctor);
    }
    vault_report_list(doctor);
    vault_report_network(doctor);
    vault_report_throttling(doctor);
}
