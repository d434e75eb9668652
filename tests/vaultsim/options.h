/*
 * The command line of vaultsim.
 *
 * Main thread only. Texts point into argv.
 */
#ifndef VAULTSIM_OPTIONS_H
#define VAULTSIM_OPTIONS_H

#include "settings.h"
#include "site.h"

#define OPTIONS_LIST_MAX 32

struct options {
    const char *folder, *tenant;
    int port, control_port, identity_ports[SITE_COUNT]; /* 0: not given */
    const char *arc_tokens, *arc_realm;                 /* NULL: not given */
    const char *vaults[OPTIONS_LIST_MAX], *clients[OPTIONS_LIST_MAX];
    int vault_count, client_count;
    struct settings settings;
};

enum options_end { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/* OPTIONS_DONE: --help or --version was printed; OPTIONS_WRONG: the problem was. */
enum options_end options_parse(int argc, char **argv, struct options *options);

#endif
