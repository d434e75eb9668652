/*
 * The second of the matrix's two tables: what goes wrong, where, and the code that each operation
 * must then return (specification.md section 6).
 */
#ifndef AKVEKM_INTEGRATION_FAULTS_FAULT_H
#define AKVEKM_INTEGRATION_FAULTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "listener.h"
#include "network.h"
#include "operation.h"

enum fault_place {
    IN_REQUEST, /* vaultsim misbehaves in the operation's own request */
    IN_TOKEN,   /* vaultsim misbehaves in the token request; issued tokens are expired */
    TO_VAULT,   /* the way to the vault */
    TO_LOGIN    /* the way to the login service; issued tokens are expired */
};

struct fault {
    const char *name;
    enum fault_place place;
    const char *spec; /* vaultsim's fault, with ' for " and ` for \" */
    enum network_fault network;
    enum listener listener;
    unsigned operations; /* a bit for each */
    SqlCpError code;
    bool lasts; /* tried again to the end of the call's time */
    struct {
        unsigned operations;
        SqlCpError code;
    } but[5];
};

size_t fault_count(void);
const struct fault *fault_at(size_t index);
/* The code of one cell. */
SqlCpError fault_code(const struct fault *fault, enum operation operation);
/* The library must forget a name, which takes a minute, before it meets this fault. */
bool fault_is_of_names(const struct fault *fault);

#endif
