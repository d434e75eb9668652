#include "operation.h"

#include <string.h>
#include <strings.h>

#define OPERATION_COUNT (OP_UNKNOWN + 1)

static const struct {
    const char *counter, *permission, *action;
} operations[OPERATION_COUNT] = {
    [OP_GET_KEY] = {"get_key", "get", "read"},
    [OP_LIST_KEYS] = {"list_keys", "list", "read"},
    [OP_LIST_VERSIONS] = {"list_versions", "list", "read"},
    [OP_CREATE] = {"create", "create", "create/action"},
    [OP_IMPORT] = {"import", "import", "import/action"},
    [OP_UPDATE] = {"update", "update", "update/action"},
    [OP_DELETE] = {"delete", "delete", "delete"},
    [OP_LIST_DELETED] = {"list_deleted", "list", "read"},
    [OP_GET_DELETED] = {"get_deleted", "get", "read"},
    [OP_PURGE] = {"purge", "purge", "purge/action"},
    [OP_RECOVER] = {"recover", "recover", "recover/action"},
    [OP_BACKUP] = {"backup", "backup", "backup/action"},
    [OP_RESTORE] = {"restore", "restore", "restore/action"},
    [OP_ROTATE] = {"rotate", "rotate", "rotate/action"},
    [OP_GET_POLICY] = {"get_rotation_policy", "getrotationpolicy", "read"},
    [OP_SET_POLICY] = {"set_rotation_policy", "setrotationpolicy", "write"},
    [OP_ENCRYPT] = {"encrypt", "encrypt", "encrypt/action"},
    [OP_DECRYPT] = {"decrypt", "decrypt", "decrypt/action"},
    [OP_WRAP] = {"wrapkey", "wrapKey", "wrap/action"},
    [OP_UNWRAP] = {"unwrapkey", "unwrapKey", "unwrap/action"},
    [OP_SIGN] = {"sign", "sign", "sign/action"},
    [OP_VERIFY] = {"verify", "verify", "verify/action"},
    [OP_HEALTH] = {"health", NULL, NULL},
    [OP_UNKNOWN] = {"other", NULL, NULL},
};

const char *operation_counter(enum operation operation)
{
    return operations[operation].counter;
}

const char *operation_permission(enum operation operation)
{
    return operations[operation].permission;
}

const char *operation_action(enum operation operation)
{
    return operations[operation].action;
}

bool operation_is_crypto(enum operation operation)
{
    return operation >= OP_ENCRYPT && operation <= OP_VERIFY;
}

bool operation_writes(enum operation operation)
{
    return operation == OP_CREATE || operation == OP_IMPORT || operation == OP_UPDATE ||
           operation == OP_DELETE || operation == OP_PURGE || operation == OP_RECOVER ||
           operation == OP_RESTORE || operation == OP_ROTATE || operation == OP_SET_POLICY;
}

enum operation operation_of_crypto(const char *word)
{
    for (enum operation op = OP_ENCRYPT; op <= OP_VERIFY; op++) {
        if (strcasecmp(word, operations[op].counter) == 0) {
            return op;
        }
    }
    return OP_UNKNOWN;
}
