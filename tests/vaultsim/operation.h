/*
 * The operations of the Key Vault data plane, and their names in URLs, permissions and counters.
 *
 * Constant tables; any thread.
 */
#ifndef VAULTSIM_OPERATION_H
#define VAULTSIM_OPERATION_H

#include <stdbool.h>

enum operation {
    OP_GET_KEY,
    OP_LIST_KEYS,
    OP_LIST_VERSIONS,
    OP_CREATE,
    OP_IMPORT,
    OP_UPDATE,
    OP_DELETE,
    OP_LIST_DELETED,
    OP_GET_DELETED,
    OP_PURGE,
    OP_RECOVER,
    OP_BACKUP,
    OP_RESTORE,
    OP_ROTATE,
    OP_GET_POLICY,
    OP_SET_POLICY,
    OP_ENCRYPT,
    OP_DECRYPT,
    OP_WRAP,
    OP_UNWRAP,
    OP_SIGN,
    OP_VERIFY,
    OP_HEALTH,
    OP_UNKNOWN,
};

const char *operation_counter(enum operation operation);    /* the name in "by" */
const char *operation_permission(enum operation operation); /* the word of the access policies */
const char *operation_action(enum operation operation);     /* the data action of RBAC */
bool operation_is_crypto(enum operation operation);
bool operation_writes(enum operation operation); /* changes what the vault holds */
/* By the last word of a path, case ignored; OP_UNKNOWN: none of them. */
enum operation operation_of_crypto(const char *word);

#endif
