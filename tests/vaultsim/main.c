/* vaultsim: the embedded Key Vault, Managed HSM and Entra. Start and stop. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app_service.h"
#include "arc.h"
#include "clients.h"
#include "control.h"
#include "ctl.h"
#include "encode.h"
#include "environment.h"
#include "keystore.h"
#include "loopback.h"
#include "options.h"
#include "pause.h"
#include "pki.h"
#include "server.h"
#include "state.h"

#define DEFAULT_TENANT "72f988bf-0000-4000-8000-2d7cd011db47"
#define DEFAULT_CLIENT "11111111-2222-4333-8444-555555555555:Sim~Secret-0.with_hyphens-1"
#define LISTEN_BACKLOG 1024

static const char *const default_vaults[] = {
    "contoso-vault.vault.azure.net",         "second-vault.vault.azure.net",
    "contoso-vault.vault.usgovcloudapi.net", "contoso-vault.vault.azure.cn",
    "contoso-vault.vault.microsoftazure.de", "contoso-hsm.managedhsm.azure.net",
};

/* ID:SECRET. A client that exists keeps its permissions. */
static void add_client(const char *text)
{
    size_t id_len = strcspn(text, ":");
    char *id = must(strndup(text, id_len));
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "client_id", id);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "secrets"),
                         cJSON_CreateString(text + id_len + 1));
    if (clients_check(id, "") == CLIENT_UNKNOWN) {
        static const char *const usual[] = {"get", "list", "wrapKey", "unwrapKey"};
        cJSON_AddItemToObject(json, "permissions", cJSON_CreateStringArray(usual, 4));
    }
    clients_change(json);
    cJSON_Delete(json);
    free(id);
}

static void main_apply(const struct options *options, bool is_first_start)
{
    char guid[37];
    settings_set(&options->settings);
    if (is_first_start) {
        clients_set_tenant(DEFAULT_TENANT);
        add_client(DEFAULT_CLIENT);
        for (size_t i = 0; i < sizeof default_vaults / sizeof default_vaults[0]; i++) {
            store_vault_add(default_vaults[i]);
        }
    }
    if (options->tenant != NULL && guid_normalise(options->tenant, guid)) {
        clients_set_tenant(guid);
    }
    for (int i = 0; i < options->vault_count; i++) {
        store_vault_add(options->vaults[i]);
    }
    for (int i = 0; i < options->client_count; i++) {
        add_client(options->clients[i]);
    }
}

/* The port that was asked for; else the former one if it is free; else one that the kernel chooses.
 */
static int listen_on(int asked, int former, int *port)
{
    *port = asked != 0 ? asked : former;
    int fd = loopback_listen(port, LISTEN_BACKLOG);
    if (fd < 0 && asked == 0) {
        *port = 0;
        fd = loopback_listen(port, LISTEN_BACKLOG);
    }
    if (fd < 0) {
        fprintf(stderr, "vaultsim: port %d: %s\n", asked, strerror(errno));
    }
    return fd;
}

/* Keeps a configuration that was edited; updates only the line with our former port. */
static bool write_configuration(int former_port, int port)
{
    const char *folder = state_folder();
    char *line = format_text("\nconnect_to = ::127.0.0.1:%d\n", port);
    char *former_line = format_text("\nconnect_to = ::127.0.0.1:%d\n", former_port);
    char *former = state_read_file("akv-ekm.conf"), *text = NULL;
    const char *at = former != NULL ? strstr(former, former_line) : NULL;
    if (former == NULL) {
        text = format_text("# For the akv-ekm library, written by vaultsim.\n"
                           "ca_file = %s/ca.pem%s"
                           "keymap_file = %s/keymap\n"
                           "log_file = %s/akv-ekm.log\n"
                           "log_level = debug\n",
                           folder, line, folder, folder);
    } else if (at != NULL) {
        text = format_text("%.*s%s%s", (int)(at - former), former, line, at + strlen(former_line));
    }
    bool is_done = text == NULL || state_write_file("akv-ekm.conf", text);
    free(text);
    free(former);
    free(former_line);
    free(line);
    return is_done;
}

static bool write_number(const char *name, long number)
{
    char *text = format_text("%ld\n", number);
    bool is_done = state_write_file(name, text);
    free(text);
    return is_done;
}

/* Opens one socket for each site and one for the control endpoint; false: a port is in use. */
static bool listen_all(const struct options *options, const struct state_ports *former,
                       struct state_ports *ports, int listeners[SITE_COUNT], int *control)
{
    bool is_done = true;
    listeners[SITE_CLOUD] = listen_on(options->port, former->https, &ports->https);
    *control = listen_on(options->control_port, former->control, &ports->control);
    for (int i = SITE_IMDS; i < SITE_COUNT; i++) {
        listeners[i] =
            listen_on(options->identity_ports[i], former->identity[i], &ports->identity[i]);
    }
    for (int i = 0; i < SITE_COUNT; i++) {
        is_done = is_done && listeners[i] >= 0;
    }
    return is_done && *control >= 0;
}

static void open_arc(const struct options *options)
{
    static char *folder; /* as long as the process */
    folder = options->arc_tokens != NULL ? must(strdup(options->arc_tokens))
                                         : format_text("%s/arc-tokens", state_folder());
    arc_open(folder, options->arc_realm);
}

static bool main_start(const struct options *options, const struct pki *pki,
                       struct state_ports former)
{
    struct state_ports ports = {0, 0, {0}};
    int listeners[SITE_COUNT], control = -1;
    if (!listen_all(options, &former, &ports, listeners, &control)) {
        return false;
    }
    state_set_ports(&ports);
    state_save();
    open_arc(options);
    app_service_rotate();
    if (!server_start(listeners, pki) || !control_start(control)) {
        fputs("vaultsim: the HTTP servers do not start\n", stderr);
        return false;
    }
    if (!write_configuration(former.https, ports.https) || !environment_write() ||
        !write_number("control", ports.control) || !write_number("pid", (long)getpid())) {
        fprintf(stderr, "vaultsim: cannot write into %s\n", state_folder());
        return false;
    }
    printf("vaultsim: ready: https 127.0.0.1:%d, control 127.0.0.1:%d, configuration "
           "%s/akv-ekm.conf\n",
           ports.https, ports.control, state_folder());
    fflush(stdout);
    return true;
}

/* Blocks the signals before any thread starts, so that only the main thread receives them, by
 * sigwait. */
static sigset_t block_signals(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    return ends;
}

static int main_run(const struct options *options)
{
    struct state_ports former = {0, 0, {0}};
    struct pki pki = {NULL, NULL};
    int signal_number = 0, rc = 1;
    sigset_t ends = block_signals();
    pause_init();
    const char *problem = state_open(options->folder);
    if (problem == NULL) {
        bool is_first_start = !state_load(&former, &problem);
        if (problem == NULL) {
            main_apply(options, is_first_start);
            cJSON *vaults = store_vault_list();
            problem = pki_prepare(vaults, &pki);
            cJSON_Delete(vaults);
        }
    }
    if (problem != NULL) {
        fprintf(stderr, "vaultsim: %s: %s\n", options->folder, problem);
    } else if (main_start(options, &pki, former)) {
        sigwait(&ends, &signal_number);
        rc = 0;
    }
    server_stop();
    control_stop();
    arc_close();
    if (rc == 0) {
        state_remove_file("control");
        state_remove_file("pid");
    }
    pki_free(&pki);
    return rc;
}

int main(int argc, char **argv)
{
    struct options options;
    umask(077);
    if (argc > 1 && strcmp(argv[1], "ctl") == 0) {
        return ctl_main(argc, argv);
    }
    switch (options_parse(argc, argv, &options)) {
    case OPTIONS_RUN:
        return main_run(&options);
    case OPTIONS_DONE:
        return 0;
    case OPTIONS_WRONG:
        break;
    }
    return 2;
}
