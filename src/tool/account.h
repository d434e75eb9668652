/*
 * The account of the SQL Server service, with whose rights the tool runs; and the terminal's echo.
 *
 * Changes the process from root to the service's account; it cannot change back. One thread, before
 * anything else begins.
 */
#ifndef AKVEKM_TOOL_ACCOUNT_H
#define AKVEKM_TOOL_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#define ACCOUNT_SERVICE "mssql" /* the account that SQL Server's packages for Linux create */

/* `name` NULL: the service's account, if it exists and this process may become it; otherwise its
 * own. False: `why` says what is wrong. */
bool account_become(const char *name, char *why, size_t cap);

/* The account of this process, and whether it may administer the machine. */
void account_describe(char *out, size_t cap);
bool account_is_administrator(void);

/* Whether standard input is a terminal with a person. */
bool account_has_terminal(void);

/* Turns the echo of typed characters on or off. */
void account_set_echo(bool on);

#endif
