/*
 * The account whose rights count: that of the SQL Server service, and the terminal's echo.
 *
 * Changes the process: from root to the service's account, for good. One thread, before anything
 * else is begun.
 */
#ifndef AKVEKM_TOOL_ACCOUNT_H
#define AKVEKM_TOOL_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#define ACCOUNT_SERVICE "mssql" /* that SQL Server's packages for Linux make */

/* `name` NULL: the service's, where this process may and there is one; else the one it has. False:
 * `why` says what is wrong. */
bool account_become(const char *name, char *why, size_t cap);

/* The account of this process, and whether it may administer the machine. */
void account_describe(char *out, size_t cap);
bool account_is_administrator(void);

/* Whether a person sits at standard input. */
bool account_has_terminal(void);

/* Switches the echo of what is typed. */
void account_set_echo(bool on);

#endif
