/*
 * The first of the matrix's two tables: what the host calls, and which request of it meets the
 * fault.
 *
 * A bench is one vaultsim and one loaded library with a key for each operation, so that all of them
 * may run at once and each finds its own key unknown to the library's memory. The keys are made
 * once for all benches.
 */
#ifndef AKVEKM_INTEGRATION_FAULTS_OPERATION_H
#define AKVEKM_INTEGRATION_FAULTS_OPERATION_H

#include "harness.h"

enum operation {
    OPEN_SESSION, /* the request without a token */
    BY_NAME,      /* GetKeyInfoByName */
    BY_THUMB,     /* GetKeyInfoByThumb of a key known from the map */
    EXPORT,
    LIST,   /* GetNextKeyId: the list */
    LISTED, /* GetKeyInfoByKeyId: the key behind the second item */
    LOOK,   /* CreateKey: whether the name is free; right when it finds the name taken */
    CREATE, /* CreateKey: the creation itself, never repeated */
    COLD,   /* Encrypt: the public key */
    ENCRYPT,
    DECRYPT,
    OPERATIONS
};

struct bench {
    struct sim sim;
    struct ekm ekm;
    uint8_t thumbs[OPERATIONS][32], cipher_bytes[512];
    SqlCpData thumb[OPERATIONS], cipher;
};

const char *operation_name(enum operation operation);
/* `"method":..., "path":...` of the request that meets the fault. */
const char *operation_request(enum operation operation);

/* Once, before the processes part. */
void bench_make_keys(void);
void bench_start(struct bench *bench);
void bench_stop(struct bench *bench);

/* The preparation before the fault: a session of its own, with a client secret of its own, so that
 * parallel operations share no token request; for ENCRYPT the public key, for LISTED the list. */
SqlCpError operation_prepare(struct bench *bench, enum operation operation, SqlCpSession *session);
/* The call itself. OPEN_SESSION makes the session, and closes it again. */
SqlCpError operation_perform(const struct bench *bench, enum operation operation,
                             SqlCpSession *session);
/* The same once the fault is gone. Instead of making another key, which takes a busy vaultsim
 * longer than a short try lasts, CREATE may stop when it sees a name that is taken. */
SqlCpError operation_repeat(const struct bench *bench, enum operation operation, bool is_short,
                            SqlCpSession *session);

#endif
