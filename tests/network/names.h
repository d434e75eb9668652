/*
 * A name server on port 53 of a loopback address. It knows every name, and may be silent or fail
 * for a while.
 *
 * After SIGUSR1 it answers.
 */
#ifndef AKVEKM_NETWORK_NAMES_H
#define AKVEKM_NETWORK_NAMES_H

enum names_manner {
    NAMES_ANSWER, /* 127.0.0.1 for any name, no IPv6 */
    NAMES_SILENT,
    NAMES_UNKNOWN, /* no such name */
    NAMES_BROKEN   /* SERVFAIL */
};

/* Prints "badnet: ready 53" and runs until the process is ended. It returns only after a failure.
 */
int names_run(const char *address, enum names_manner manner);

#endif
