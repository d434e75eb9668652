/*
 * The host names of each Azure cloud: vault and Managed HSM suffixes, Entra hosts.
 *
 * Constant tables (the list of sovereign clouds as published); any thread.
 */
#ifndef VAULTSIM_CLOUD_H
#define VAULTSIM_CLOUD_H

#include <stdbool.h>
#include <stddef.h>

/* The resource that a token for this host must name, e.g. https://vault.azure.net: the host from
 * its first dot, or the longest known suffix. Writes "" for a host without a dot. */
void cloud_resource_of(const char *host, char *resource, size_t cap);
bool cloud_is_hsm(const char *host);
/* The Entra host the challenge of this vault names. */
const char *cloud_authority_of(const char *host);
bool cloud_is_entra(const char *host);
/* The names of Entra in the index-th cloud, or in the cloud of one of them; how many. */
#define CLOUD_ENTRA_MAX 6
size_t cloud_entra_hosts(size_t index, const char *names[CLOUD_ENTRA_MAX]);
size_t cloud_entra_aliases(const char *host, const char *names[CLOUD_ENTRA_MAX]);
/* Whether this Entra host issues tokens for the resource's cloud. */
bool cloud_issues(const char *entra_host, const char *resource);
/* The n-th name for the server certificate (wildcards and Entra hosts), NULL at the end. */
char *cloud_certificate_name(size_t index);
/* Whether a certificate made of these names covers the host. */
bool cloud_covers(const char *host);

#endif
