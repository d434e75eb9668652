#include "forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define APPLICATION "11111111-2222-4333-8444-555555555555"
#define IDENTITY    "33333333-4444-4555-8666-777777777777"
#define OBJECT      "33333333-aaaa-4555-8666-777777777777"

const char *const form_names[FORM_COUNT] = {"certificate, PEM",  "certificate, PFX", "IMDS",
                                            "App Service",       "Azure Arc",        "token file",
                                            "token file, proxy", "federated"};

static const struct form {
    const char *secret, *surroundings; /* files of vaultsim's */
} forms[FORM_COUNT] = {
    {"certificate:" APPLICATION ":pem", ""},
    {"certificate:" APPLICATION ":pfx", ""},
    {"managed-identity", "identity.env"},
    {"managed-identity:" IDENTITY, "identity-app-service.env"},
    {"managed-identity", "identity-arc.env"},
    {"workload-identity", "workload.env"},
    {"workload-identity", "workload.env workload-proxy.env"},
    {"federated-identity:" APPLICATION ":" IDENTITY, "identity.env"},
};

void forms_prepare(const struct sim *sim)
{
    char text[1024];
    snprintf(text, sizeof text,
             "cd '%s' && mkdir -m 700 certs && openssl req -x509 -newkey rsa:2048 -nodes -keyout "
             "k.pem -out c.pem -days 90 -subj /CN=torture 2>/dev/null && cat c.pem k.pem "
             ">certs/pem.pem && openssl pkcs12 -export -in c.pem -inkey k.pem -passout pass: -out "
             "certs/pfx.pfx && chmod 600 certs/*",
             sim->folder);
    assert_int_equal(system(text), 0); // NOLINT(cert-env33-c): a test's own command
    snprintf(text, sizeof text, "certificate_folder = %s/certs", sim->folder);
    sim_configure(sim, text);
    snprintf(text, sizeof text,
             "{\"client_id\":\"" APPLICATION
             "\",\"certificates\":[\"%s/c.pem\"],\"federated\":[{},{\"issuer\":"
             "\"https://login.microsoftonline.com/72f988bf-0000-4000-8000-2d7cd011db47/v2.0\","
             "\"subject\":\"" OBJECT "\",\"audience\":\"api://AzureADTokenExchange\"}]}",
             sim->folder);
    sim_ctl(sim, "POST", "/clients", text);
    sim_ctl(sim, "POST", "/oidc/token", "{}");
}

static void form_forget_environment(void)
{
    static const char *const names[] = {"IDENTITY_ENDPOINT",
                                        "IDENTITY_HEADER",
                                        "IMDS_ENDPOINT",
                                        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
                                        "AZURE_CLIENT_ID",
                                        "AZURE_TENANT_ID",
                                        "AZURE_FEDERATED_TOKEN_FILE",
                                        "AZURE_AUTHORITY_HOST",
                                        "AZURE_KUBERNETES_CA_FILE",
                                        "AZURE_KUBERNETES_SNI_NAME",
                                        "AZURE_KUBERNETES_CA_DATA",
                                        "AZURE_KUBERNETES_TOKEN_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(unsetenv(names[i]), 0);
    }
}

static void form_read_environment(const struct sim *sim, const char *name)
{
    char *text = sim_file(sim, name), *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *value = strchr(line, '=');
        assert_non_null(value);
        *value = '\0';
        assert_int_equal(setenv(line, value + 1, 1), 0);
    }
    free(text);
}

const char *form_choose(const struct sim *sim, unsigned form)
{
    char names[64], *rest = NULL;
    form_forget_environment();
    snprintf(names, sizeof names, "%s", forms[form].surroundings);
    for (char *name = strtok_r(names, " ", &rest); name != NULL;
         name = strtok_r(NULL, " ", &rest)) {
        form_read_environment(sim, name);
    }
    return forms[form].secret;
}
