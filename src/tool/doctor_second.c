/* The second vault: whether it would open what the first one opens, should that be out of reach. */
#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "provider/key_lookup.h"
#include "tool/doctor_report.h"
#include "tool/explain.h"
#include "tool/map.h"
#include "vault/second_vault.h"

#define SECOND_ASK_MAX 200

struct second_survey {
    struct doctor *doctor;
    struct vault vault;
    unsigned asked, missing;
    char first[700]; /* what is missing first, and why */
};

/* Only a key whose public part gives the thumbprint counts, under whatever name the vault has it.
 */
static enum ekm_rc second_find_key(struct second_survey *survey,
                                   const struct thumbprint *thumbprint, struct known_key *out)
{
    struct call *call = &survey->doctor->call;
    struct key_lookup lookup = {.vault = &survey->vault, .thumbprint = *thumbprint};
    enum ekm_rc rc = key_lookup_find_public(call, &lookup, KEY_LOOKUP_ANY_AGE);
    if (rc != EKM_OK) {
        return rc;
    }
    *out = lookup.key;
    return lookup.key.enabled ? EKM_OK : call_fail(call, EKM_KEY_DISABLED, NULL);
}

static bool second_ask_key(struct second_survey *survey, const struct thumbprint *thumbprint,
                           const char *name, struct known_key *out)
{
    struct doctor *doctor = survey->doctor;
    char why[400];
    connection_begin_call(&doctor->connection, &doctor->call, "GetKey");
    survey->asked++;
    enum ekm_rc rc = second_find_key(survey, thumbprint, out);
    if (rc == EKM_OK) {
        return true;
    }
    if (survey->missing++ == 0) {
        connection_explain(&doctor->call, rc, why, sizeof why);
        (void)text_format(survey->first, sizeof survey->first, "; the first: %.200s: %s", name,
                          why);
    }
    return false;
}

/* Wraps on this machine: nothing is ever wrapped in the second vault. */
static enum ekm_rc second_unwrap(struct second_survey *survey, const struct known_key *key,
                                 const uint8_t plain[DOCTOR_PLAIN_BYTES], struct buf *opened)
{
    struct buf wrapped = BUF_EMPTY(RSA_MAX_BYTES);
    enum ekm_rc rc =
        rsa_public_wrap(&key->public, RSA_OAEP_256, plain, DOCTOR_PLAIN_BYTES, &wrapped);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = vault_unwrap(&survey->doctor->call, &survey->vault, &key->id, RSA_OAEP_256, wrapped.data,
                      wrapped.len, opened);
out:
    buf_free(&wrapped);
    return rc;
}

static void second_try_unwrap(struct second_survey *survey, const struct known_key *key)
{
    uint8_t plain[DOCTOR_PLAIN_BYTES];
    struct doctor *doctor = survey->doctor;
    struct buf opened = BUF_EMPTY(RSA_MAX_BYTES);
    (void)plat_random(plain, sizeof plain);
    doctor_begin(doctor);
    connection_begin_call(&doctor->connection, &doctor->call, "Decrypt");
    enum ekm_rc rc = second_unwrap(survey, key, plain, &opened);
    if (rc != EKM_OK) {
        doctor_report_failure(doctor, "second-unwrap", rc);
    } else {
        doctor_report_opened(doctor, "second-unwrap", "the second vault ", plain, &opened,
                             "the second vault does not have this key: report it");
    }
    buf_free(&opened);
    plat_wipe(plain, sizeof plain);
}

static void second_ask_map(struct second_survey *survey)
{
    struct keymap_table table;
    const char *host = survey->doctor->connection.vault.address.host;
    if (map_load(&table) == PLAT_IO_OK) {
        for (size_t i = 0; i < table.count && survey->asked < SECOND_ASK_MAX; i++) {
            const struct keymap_entry *entry = table.entries[i];
            if (strcmp(entry->host, host) == 0) {
                struct known_key key;
                (void)second_ask_key(survey, &entry->thumbprint, entry->uri, &key);
            }
        }
    }
    keymap_table_free(&table);
}

void doctor_look_at_second(struct doctor *doctor)
{
    struct thumbprint thumbprint;
    static struct second_survey survey;
    const struct vault *first = &doctor->connection.vault;
    if (first->spare == NULL) {
        return;
    }
    memset(&survey, 0, sizeof survey);
    survey.doctor = doctor;
    doctor_begin(doctor);
    if (first->credential == NULL) {
        doctor_report(doctor, "second-vault", DOCTOR_SKIPPED, NULL,
                      "not tried without a credential");
        return;
    }
    second_vault_of(first, &survey.vault);
    connection_begin_call(&doctor->connection, &doctor->call, "OpenSession");
    (void)text_copy(doctor->call.vault, sizeof doctor->call.vault, survey.vault.address.host);
    enum ekm_rc rc = vault_authenticate(&doctor->call, &survey.vault);
    if (rc != EKM_OK) {
        doctor_report_failure(doctor, "second-vault", rc);
        return;
    }
    doctor_report(doctor, "second-vault", DOCTOR_OK, NULL, "%s takes the same sign-in",
                  survey.vault.address.host);
    if (doctor->found.id.version[0] != '\0' && doctor->found.usable_size &&
        rsa_public_thumbprint(&doctor->found.public, &thumbprint) == EKM_OK) {
        struct known_key key;
        if (second_ask_key(&survey, &thumbprint, doctor->found.id.name, &key)) {
            second_try_unwrap(&survey, &key);
        }
    }
    second_ask_map(&survey);
    doctor_report(doctor, "second-keys", survey.missing > 0 ? DOCTOR_WARNING : DOCTOR_OK,
                  "bring these keys into the second vault as well: docs/admin.md, A second vault",
                  "%u keys of the first vault asked for, %u not there%s", survey.asked,
                  survey.missing, survey.first);
}
