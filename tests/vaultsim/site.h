/*
 * The services that vaultsim stands in for, each behind a listener of its own.
 *
 * SITE_CLOUD is the HTTPS port, where the Host header chooses vault, Managed HSM, Entra or the OIDC
 * issuer. The others speak plain HTTP, as in Azure.
 */
#ifndef VAULTSIM_SITE_H
#define VAULTSIM_SITE_H

enum site {
    SITE_CLOUD,
    SITE_IMDS,        /* 169.254.169.254 of a virtual machine */
    SITE_ARC,         /* himds, the agent of an Arc-enabled server */
    SITE_APP_SERVICE, /* App Service, Container Apps, Windows container groups */
};
#define SITE_COUNT 4

#endif
