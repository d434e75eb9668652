/*
 * The network that the library sees in this process: names and routes that a test breaks and
 * restores, so that neither the resolver of the machine nor a real network matters.
 *
 * This program's own getaddrinfo() and connect() replace those of the C library. "vault.test" and
 * "login.test" are vaultsim under two addresses. Any other name is a foreign host: it is counted
 * and leads to the listener of faults. Any thread.
 */
#ifndef AKVEKM_INTEGRATION_FAULTS_NETWORK_H
#define AKVEKM_INTEGRATION_FAULTS_NETWORK_H

enum network_place { AT_VAULT, AT_LOGIN, NETWORK_PLACES };

enum network_fault {
    NETWORK_RIGHT,
    NETWORK_REFUSED,     /* nobody listens */
    NETWORK_UNREACHABLE, /* the kernel has no way there */
    NETWORK_SILENT,      /* a full backlog: no answer to the first packet */
    NETWORK_LISTENER,    /* the listener of faults is there instead */
    NETWORK_NO_NAME,     /* the resolver answers that there is no such name */
    NETWORK_NAME_HANGS   /* the resolver does not answer */
};

/* Ports on loopback. */
void network_start(int vaultsim_port, int listener_port);
void network_stop(void);
/* Ends every connection, too: what comes next meets the fault. */
void network_set(enum network_place place, enum network_fault fault);
/* Look-ups of, and connections to, hosts that are neither; since the start. */
int network_foreign(void);

#endif
