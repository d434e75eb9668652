/*
 * The environment of a process in Azure, as files of NAME=VALUE lines in the state folder.
 *
 * identity.env is a virtual machine's (IMDS), identity-arc.env an Arc-enabled server's,
 * identity-app-service.env and identity-aci.env those of containers, workload.env a pod's,
 * workload-proxy.env what identity bindings of AKS add to it.
 */
#ifndef VAULTSIM_ENVIRONMENT_H
#define VAULTSIM_ENVIRONMENT_H

#include <stdbool.h>

/* Written at the start, and again when the header's secret has changed. */
bool environment_write(void);

#endif
