#include "environment.h"

#include <stdlib.h>

#include "app_service.h"
#include "clients.h"
#include "encode.h"
#include "imds.h"
#include "request.h"
#include "state.h"

#define WORKLOAD_CLIENT "11111111-2222-4333-8444-555555555555"

static bool environment_save(const char *name, char *text)
{
    bool is_done = state_write_file(name, text);
    free(text);
    return is_done;
}

bool environment_write(void)
{
    struct state_ports ports = state_ports();
    char secret[33], tenant[80];
    app_service_secret(secret);
    clients_tenant(tenant, sizeof tenant);
    int arc = ports.identity[SITE_ARC], app = ports.identity[SITE_APP_SERVICE];
    return environment_save("identity.env",
                            format_text("AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:%d\n",
                                        ports.identity[SITE_IMDS])) &&
           environment_save("identity-arc.env",
                            format_text("IDENTITY_ENDPOINT=http://127.0.0.1:%d" MACHINE_TOKEN_PATH
                                        "\n"
                                        "IMDS_ENDPOINT=http://127.0.0.1:%d\n",
                                        arc, arc)) &&
           environment_save("identity-app-service.env",
                            format_text("IDENTITY_ENDPOINT=http://127.0.0.1:%d" APP_SERVICE_PATH
                                        "\n"
                                        "IDENTITY_HEADER=%s\n",
                                        app, secret)) &&
           environment_save("identity-aci.env",
                            format_text("IDENTITY_ENDPOINT=http://127.0.0.1:%d" APP_SERVICE_ACI "\n"
                                        "IDENTITY_HEADER=%s\n",
                                        app, secret)) &&
           environment_save("workload.env",
                            format_text("AZURE_CLIENT_ID=" WORKLOAD_CLIENT "\n"
                                        "AZURE_TENANT_ID=%s\n"
                                        "AZURE_FEDERATED_TOKEN_FILE=%s/federated-token\n"
                                        "AZURE_AUTHORITY_HOST=https://login.microsoftonline.com/\n",
                                        tenant, state_folder())) &&
           environment_save(
               "workload-proxy.env",
               format_text("AZURE_KUBERNETES_TOKEN_PROXY=https://127.0.0.1:%d" REQUEST_TOKEN_PROXY
                           "\n"
                           "AZURE_KUBERNETES_SNI_NAME=" REQUEST_TOKEN_PROXY_NAME "\n"
                           "AZURE_KUBERNETES_CA_FILE=%s/ca.pem\n",
                           ports.https, state_folder()));
}
