/*
 * The built-in functions that find and use keys of the database of the connection.
 *
 * Owns the format of the result of ENCRYPTBYKEY: the guid of the key, a version, an initialization
 * vector, AES-CBC with padding. One thread.
 */
#ifndef EKMHOST_FUNCTIONS_KEY_H
#define EKMHOST_FUNCTIONS_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "message.h"
#include "value.h"

struct connection;

struct function_call {
    struct connection *connection;
    const struct value *arguments;
    size_t count;
    struct value *out; /* must be NULL before the call */
    struct failure *failure;
};

const char *function_text(const struct function_call *call,
                          size_t argument); /* "" unless it is text */

bool function_asymkey_id(const struct function_call *call);
bool function_key_id(const struct function_call *call);
bool function_key_guid(const struct function_call *call);
bool function_encrypt_by_asymkey(const struct function_call *call);
bool function_decrypt_by_asymkey(const struct function_call *call);
/* NULL unless the key is open, as in SQL Server. */
bool function_encrypt_by_key(const struct function_call *call);
bool function_decrypt_by_key(const struct function_call *call);

#endif
