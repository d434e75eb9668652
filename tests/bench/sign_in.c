/* The cost of each form of signing in: a cold OpenSession of a fresh process, and the warm ones
 * after it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "measure.h"
#include "report.h"

#define APPLICATION "11111111-2222-4333-8444-555555555555"
#define IDENTITY    "33333333-4444-4555-8666-777777777777"
#define OBJECT      "33333333-aaaa-4555-8666-777777777777"

static const struct form {
    const char *name, *secret,
        *surroundings; /* the file of its environment, in vaultsim's folder */
} forms[] = {
    {"secret", "11111111222243338444555555555555Sim~Secret-0.with_hyphens-1", "identity.env"},
    {"certificate_pem", "certificate:" APPLICATION ":pem", "identity.env"},
    {"certificate_pfx", "certificate:" APPLICATION ":pfx", "identity.env"},
    {"managed_identity", "managed-identity", "identity.env"},
    {"app_service", "managed-identity", "identity-app-service.env"},
    {"workload_identity", "workload-identity", "workload.env"},
    {"federated_identity", "federated-identity:" APPLICATION ":" IDENTITY, "identity.env"},
};

static void sign_in_run(const char *command)
{
    if (system(command) != 0) { // NOLINT(cert-env33-c): a benchmark's own command
        give_up("%s", command);
    }
}

static void sign_in_prepare(struct bench *bench)
{
    const char *folder = bench->sim.folder;
    char text[1024];
    snprintf(text, sizeof text,
             "cd '%s' && mkdir -p -m 700 certs && openssl req -x509 -newkey rsa:2048 -nodes "
             "-keyout k.pem -out c.pem -days 90 "
             "-subj /CN=bench 2>/dev/null && cat c.pem k.pem >certs/pem.pem && openssl pkcs12 "
             "-export -in c.pem -inkey k.pem "
             "-passout pass: -out certs/pfx.pfx && chmod 600 certs/*",
             folder);
    sign_in_run(text);
    snprintf(text, sizeof text, "certificate_folder = %s/certs", folder);
    sim_configure(&bench->sim, text);
    snprintf(text, sizeof text,
             "{\"client_id\":\"" APPLICATION
             "\",\"certificates\":[\"%s/c.pem\"],\"federated\":[{},{\"issuer\":"
             "\"https://login.microsoftonline.com/72f988bf-0000-4000-8000-2d7cd011db47/"
             "v2.0\",\"subject\":\"" OBJECT "\",\"audience\":\"api://AzureADTokenExchange\"}]}",
             folder);
    sim_ctl(&bench->sim, "POST", "/clients", text);
    sim_ctl(&bench->sim, "POST", "/oidc/token", "{}");
}

static void report_form(const struct bench *bench, const struct form *form)
{
    static const char *const names[] = {"cold_ms", "cold_cpu_ms", "warm_us"};
    double values[3][ROUNDS_MAX];
    size_t rounds = bench->quick ? 3 : 7;
    char command[1024];
    snprintf(command, sizeof command,
             "env $(cat '%s/%s') BENCH_SIGN_IN='%s' '" AKVEKM_BUILD_DIR
             "/benchclient' sign-in '%s' %d",
             bench->sim.folder, form->surroundings, form->secret, bench->sim.folder,
             bench->quick ? 20000 : 200000);
    sim_ctl(&bench->sim, "DELETE", "/counters", NULL);
    (void)ask_process(command, "warm_us");
    long requests = sim_counter(&bench->sim, "requests");
    for (size_t i = 0; i < rounds; i++) {
        for (size_t j = 0; j < 3; j++) {
            values[j][i] = ask_process(command, names[j]);
        }
    }
    report_text("form", form->name);
    report_number("requests", (double)requests, 0);
    for (size_t j = 0; j < 3; j++) {
        report_number(names[j], median(values[j], rounds), j == 2 ? 2 : 1);
    }
    report_row();
}

void bench_sign_in(struct bench *bench)
{
    sign_in_prepare(bench);
    report_section(
        "sign_in",
        "OpenSession of a fresh process, its requests and processor time, then warm ones");
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        report_form(bench, &forms[i]);
    }
}
