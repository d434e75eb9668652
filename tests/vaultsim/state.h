/*
 * The state folder of vaultsim: its rights, its lock, its files, the saved state.
 *
 * Call state_open once at the start; afterwards any thread. Every file has mode 0600 and is
 * replaced by a rename, so that a reader never sees half of one.
 */
#ifndef VAULTSIM_STATE_H
#define VAULTSIM_STATE_H

#include <stdbool.h>

#include "site.h"

struct state_ports {
    int https, control, identity[SITE_COUNT]; /* identity: by enum site, SITE_CLOUD unused */
};

/* Makes the folder if necessary and locks it for this process. NULL: success; else the problem. */
const char *state_open(const char *folder);
const char *state_folder(void); /* absolute */
/* NULL: no such file. malloc'd. */
char *state_read_file(const char *name);
bool state_write_file(const char *name, const char *text);
/* The same for any path. */
bool state_write_path(const char *path, const char *text);
void state_remove_file(const char *name);

/* Loads vaults, keys, clients and tenants; false: there is no state yet. *problem is set if there
 * is one that cannot be read. */
bool state_load(struct state_ports *ports, const char **problem);
void state_set_ports(const struct state_ports *ports);
struct state_ports state_ports(void);
void state_save(void);

#endif
