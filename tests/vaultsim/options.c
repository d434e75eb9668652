#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"

static const char help[] =
    "usage: vaultsim --state DIR [option]...\n"
    "       vaultsim ctl --state DIR METHOD /PATH [JSON]\n"
    "\n"
    "Answers like Azure Key Vault, a Managed HSM and the Entra sign-in service, with real TLS and\n"
    "real RSA keys, so that clients can be tested without Azure. It listens only on 127.0.0.1 and\n"
    "runs until SIGTERM, SIGINT or `vaultsim ctl --state DIR POST /stop`. DIR holds its data "
    "(keys\n"
    "with their private parts!, clients, its own certificate authority). A later start with the\n"
    "same DIR continues with them.\n"
    "\n"
    "Options:\n"
    "  --state DIR            the folder; created if it does not exist\n"
    "  --port N               HTTPS port; default: that of the last run if free, else any\n"
    "  --control-port N       port of the control endpoint (plain HTTP); same default\n"
    "  --imds-port N, --arc-port N, --app-service-port N\n"
    "                         plain HTTP ports of the managed-identity endpoints\n"
    "  --arc-tokens DIR       where the key files of Arc are written; default DIR/arc-tokens\n"
    "  --arc-realm TEXT       how Arc's challenges name that folder; default: its path\n"
    "  --vault HOST           one more vault, e.g. my-vault.vault.azure.net (repeatable)\n"
    "  --tenant GUID          the tenant of the vaults\n"
    "  --client ID:SECRET     one more application, allowed get, list, wrapKey, unwrapKey\n"
    "                         in every vault (repeatable)\n"
    "  --latency-ms N         every response waits this long\n"
    "  --token-lifetime-s N   the lifetime of a token; default 3599\n"
    "  --throttle MODE        none (default), standard: the documented limits of vaults, or\n"
    "                         hsm: those of HSM keys, and the measured rates of a Managed HSM\n"
    "  --implicit-rejection   RSA1_5 returns random bytes for a wrong cipher text, not an error\n"
    "  --memoise              unwrap and decrypt answer repeated requests from memory\n"
    "  --help, --version\n"
    "\n"
    "The first start creates the vaults contoso-vault and second-vault in public Azure,\n"
    "contoso-vault in the sovereign clouds and contoso-hsm.managedhsm.azure.net, all without\n"
    "keys, and the application 11111111-2222-4333-8444-555555555555.\n"
    "\n"
    "Try it:\n"
    "  vaultsim --state /tmp/vault &\n"
    "  vaultsim ctl --state /tmp/vault POST /keys \\\n"
    "      '{\"vault\":\"contoso-vault.vault.azure.net\",\"name\":\"MyKey\",\"kty\":\"RSA\"}'\n"
    "  curl --cacert /tmp/vault/ca.pem --connect-to ::127.0.0.1:PORT \\\n"
    "      'https://contoso-vault.vault.azure.net/keys/MyKey?api-version=7.4' -i\n"
    "\n"
    "DIR/akv-ekm.conf is a ready configuration for the akv-ekm library (AKVEKM_CONFIG).\n"
    "The control endpoint creates keys, injects faults and counts requests: see "
    "docs/vaultsim.md.\n";

static bool options_take_number(const char *text, long max, int *value)
{
    char *end = NULL;
    long number = strtol(text, &end, 10);
    *value = (int)number;
    return end != text && *end == '\0' && number >= 0 && number <= max;
}

static bool take_item(const char *text, const char **list, int *count)
{
    if (*count == OPTIONS_LIST_MAX) {
        return false;
    }
    list[(*count)++] = text;
    return true;
}

/* ID:SECRET, the ID a GUID */
static bool is_client(const char *text)
{
    char guid[37], id[40];
    size_t len = strcspn(text, ":");
    if (len >= sizeof id || text[len] == '\0' || text[len + 1] == '\0') {
        return false;
    }
    snprintf(id, sizeof id, "%.*s", (int)len, text);
    return guid_normalise(id, guid);
}

/* True: it is one of these options; *is_good says whether its value is valid. */
static bool take_identity_option(const char *name, const char *value, struct options *options,
                                 bool *is_good)
{
    static const char *const ports[SITE_COUNT] = {NULL, "--imds-port", "--arc-port",
                                                  "--app-service-port"};
    for (int i = SITE_IMDS; i < SITE_COUNT; i++) {
        if (strcmp(name, ports[i]) == 0) {
            *is_good = options_take_number(value, 65535, &options->identity_ports[i]);
            return true;
        }
    }
    *is_good = value[0] != '\0';
    if (strcmp(name, "--arc-tokens") == 0) {
        options->arc_tokens = value;
        return true;
    }
    options->arc_realm = strcmp(name, "--arc-realm") == 0 ? value : options->arc_realm;
    return strcmp(name, "--arc-realm") == 0;
}

static bool take_option(const char *name, const char *value, struct options *options)
{
    char guid[37];
    bool is_good = false;
    if (strcmp(name, "--state") == 0) {
        options->folder = value;
        return value[0] != '\0';
    }
    if (strcmp(name, "--port") == 0) {
        return options_take_number(value, 65535, &options->port);
    }
    if (strcmp(name, "--control-port") == 0) {
        return options_take_number(value, 65535, &options->control_port);
    }
    if (take_identity_option(name, value, options, &is_good)) {
        return is_good;
    }
    if (strcmp(name, "--latency-ms") == 0) {
        return options_take_number(value, 600000, &options->settings.latency_ms);
    }
    if (strcmp(name, "--token-lifetime-s") == 0) {
        return options_take_number(value, 86399, &options->settings.token_lifetime_s);
    }
    if (strcmp(name, "--throttle") == 0) {
        return settings_throttle_mode(value, &options->settings.throttle);
    }
    if (strcmp(name, "--vault") == 0) {
        return strchr(value, '.') != NULL && strlen(value) < 250 &&
               strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
                   strlen(value) &&
               take_item(value, options->vaults, &options->vault_count);
    }
    if (strcmp(name, "--tenant") == 0) {
        options->tenant = value;
        return guid_normalise(value, guid);
    }
    return strcmp(name, "--client") == 0 && is_client(value) &&
           take_item(value, options->clients, &options->client_count);
}

enum options_end options_parse(int argc, char **argv, struct options *options)
{
    memset(options, 0, sizeof *options);
    options->settings = settings_get();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return OPTIONS_DONE;
        }
        if (strcmp(argv[i], "--version") == 0) {
            puts("vaultsim " VAULTSIM_VERSION);
            return OPTIONS_DONE;
        }
        if (strcmp(argv[i], "--implicit-rejection") == 0) {
            options->settings.implicit_rejection = true;
        } else if (strcmp(argv[i], "--memoise") == 0) {
            options->settings.memoise = true;
        } else if (i + 1 == argc || !take_option(argv[i], argv[i + 1], options)) {
            /* The message does not repeat the value, which may be a secret. */
            fprintf(stderr, "vaultsim: unknown option or bad value: %s (see --help)\n", argv[i]);
            return OPTIONS_WRONG;
        } else {
            i++;
        }
    }
    if (options->folder == NULL) {
        fputs("vaultsim: --state DIR is needed (see --help)\n", stderr);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}
