/*
 * The environment of a process in Azure, as files of NAME=VALUE lines in the state folder.
 *
 * identity.env is that of a virtual machine (IMDS), identity-arc.env of an Arc-enabled server,
 * identity-app-service.env and identity-aci.env of containers, workload.env of a pod.
 * workload-proxy.env has what identity bindings of AKS add to it.
 */
#ifndef VAULTSIM_ENVIRONMENT_H
#define VAULTSIM_ENVIRONMENT_H

#include <stdbool.h>

/* Writes the files: at the start, and again when the secret of the header has changed. */
bool environment_write(void);

#endif
