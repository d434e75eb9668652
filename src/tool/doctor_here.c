/* Steps that need no network: account, configuration, environment, credential. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "net/environment.h"
#include "net/proxy.h"
#include "platform/system.h"
#include "tool/account.h"
#include "tool/doctor_report.h"
#include "tool/explain.h"

/* A list in one line. */
struct here_text {
    char text[1200];
    unsigned count;
    bool risky;
};

static void here_add(struct here_text *to, const char *name, const char *value)
{
    size_t len = strlen(to->text);
    (void)text_format(to->text + len, sizeof to->text - len, "%s%s%s%.200s",
                      to->count > 0 ? ", " : "", name, value[0] != '\0' ? "=" : "", value);
    to->count++;
}

static void here_add_setting(void *context, const char *key, const char *value, bool widens)
{
    struct here_text *to = context;
    here_add(to, key, value);
    to->risky = to->risky || widens;
}

static void here_report_configuration(struct doctor *doctor)
{
    struct here_text settings = {.count = 0};
    const struct config *config = doctor->connection.config;
    config_visit_changed(config, here_add_setting, &settings);
    doctor_report(doctor, "configuration", settings.risky ? DOCTOR_WARNING : DOCTOR_OK,
                  "some of these settings widen whom the library trusts: is each one wanted?",
                  "%s%s%s", config->path[0] != '\0' ? config->path : "no file: all defaults",
                  settings.count > 0 ? ": " : "", settings.text);
}

static void here_add_variable(void *context, const char *name, const char *value,
                              const char *effect)
{
    char text[400];
    (void)text_format(text, sizeof text, "%.120s (%s)", value, effect);
    here_add(context, name, text);
}

/* The tool's own environment; the service may have another one. */
static void here_report_environment(struct doctor *doctor)
{
    static const char *const names[] = {"AKVEKM_CONFIG", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",     "no_proxy",    "NO_PROXY"};
    struct here_text variables = {.count = 0};
    char value[512];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (plat_environment(names[i], value, sizeof value) > 0) {
            bool may_hold_password = strchr(value, '@') != NULL;
            here_add(&variables, names[i], may_hold_password ? "(with a login)" : value);
        }
    }
    environment_visit(here_add_variable, &variables);
    doctor_report(doctor, "environment", DOCTOR_OK, NULL, "%s%s",
                  variables.count > 0 ? variables.text : "nothing that the library reads",
                  variables.count > 0 ? "; SQL Server's process may have others" : "");
}

static void here_report_credential(struct doctor *doctor)
{
    struct connection *connection = &doctor->connection;
    connection_begin_call(connection, &doctor->call, "OpenSession");
    doctor->credential = connection_read(connection, &doctor->call, doctor->options->identity);
    doctor_begin(doctor); /* the time that a person types does not count */
    if (doctor->credential != EKM_OK) {
        doctor_report_failure(doctor, "credential", doctor->credential);
        return;
    }
    const char *sign_in = doctor->call.sign_in;
    const char *client = credential_client_id(connection->vault.credential);
    doctor_report(doctor, "credential", connection->odd[0] != '\0' ? DOCTOR_WARNING : DOCTOR_OK,
                  "write SECRET anew, without it", "%s%s%s%s%s%s", connection->vault.address.host,
                  client[0] != '\0' ? ", client " : "", client, sign_in[0] != '\0' ? ", " : "",
                  sign_in[0] != '\0' ? sign_in : "",
                  connection->odd[0] != '\0' ? "; SECRET is odd: " : "");
    if (connection->odd[0] != '\0') {
        doctor_report(doctor, "credential", DOCTOR_WARNING, NULL, "%s", connection->odd);
    }
}

bool doctor_look_here(struct doctor *doctor)
{
    char why[1600], account[400];
    enum ekm_rc rc = connection_start(&doctor->connection, doctor->options->user, why, sizeof why);
    account_describe(account, sizeof account);
    bool is_account = rc == EKM_FAILURE && doctor->connection.config == NULL;
    if (is_account) {
        doctor_report(doctor, "account", DOCTOR_FAILED,
                      "run it as root, or as the account of the SQL Server service", "%s: %s",
                      account, why);
        return false;
    }
    bool other = account_is_administrator();
    const char *note = rc == EKM_OK ? why : ""; /* else the reason of the failure below */
    doctor_report(doctor, "account", other ? DOCTOR_WARNING : DOCTOR_OK,
                  "what SQL Server may do is known only by a run as its account (Linux: --user)",
                  "%s%s%s", account, note[0] != '\0' ? "; " : "", note);
    if (rc != EKM_OK) {
        doctor_report(doctor, "configuration", DOCTOR_FAILED, explain_todo(ekm_code(rc)),
                      "%d: %s: %s", (int)ekm_code(rc), ekm_text(rc), why);
        here_report_environment(doctor);
        return false;
    }
    here_report_configuration(doctor);
    here_report_environment(doctor);
    here_report_credential(doctor);
    return true;
}
