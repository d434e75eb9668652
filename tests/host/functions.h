/*
 * The built-in functions: names, cryptography, sizes. A table; unknown names give 195.
 *
 * ENCRYPTBYASYMKEY and the like call the provider by the session of the connection. One thread.
 */
#ifndef EKMHOST_FUNCTIONS_H
#define EKMHOST_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "message.h"
#include "value.h"

struct connection;

enum { FUNCTION_MAX_ARGUMENTS = 4 };

/* `name` begins with @@ for @@VERSION and the like. */
bool function_call(struct connection *connection, const char *name, const struct value *arguments,
                   size_t count, struct value *out, struct failure *failure);

#endif
