/*
 * The work of sqlcmd before SQL Server sees a batch: $(VARIABLES) from the environment, batches
 * between GO lines.
 *
 * GO inside a string or a block comment is text, as with sqlcmd. One thread.
 */
#ifndef EKMHOST_SCRIPT_H
#define EKMHOST_SCRIPT_H

#include "connection.h"

void script_run(struct connection *connection, const char *text);

#endif
