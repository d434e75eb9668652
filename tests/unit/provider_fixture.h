/*
 * The whole provider behind its exports, on the fake vault: a folder with configuration, map and
 * log, and the host's dances.
 *
 * Compiles src/abi/exports.c in. Functions fail the running test when they cannot do their work.
 * One thread sets up and tears down; the dances may run in many.
 */
#ifndef AKVEKM_UNIT_PROVIDER_FIXTURE_H
#define AKVEKM_UNIT_PROVIDER_FIXTURE_H

#include "akvekm/sqlcrypt.h"
#include "fake_vault.h"

#define CLOSING 5007

struct fixture {
    char folder[64], map[96], log[96];
    SqlCpSession session;
};
extern struct fixture fixture;

/* For cmocka: an empty fake vault, a new folder with a configuration, nothing initialized; and away
 * with it. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

void fixture_configure(const char *line); /* appends to the configuration */
void fixture_start(void);                 /* Initialize and OpenSession on FAKE_HOST */
void fixture_stop(void);                  /* CloseSession and Free */
void fixture_restart(void);               /* both, in reverse: a new process but for the heap */

SqlCpStr fixture_wide(const char *text, uint16_t *units);
SqlCpError fixture_open(const char *identity, const char *secret, SqlCpSession *session);
/* Two-call dances; the output's room is in cb. */
SqlCpError fixture_find(const char *name, struct thumbprint *thumbprint);
SqlCpError fixture_encrypt(const struct thumbprint *thumbprint, const void *plain, size_t len,
                           SqlCpData *out);
SqlCpError fixture_decrypt(const struct thumbprint *thumbprint, const SqlCpData *cipher,
                           SqlCpData *out);

void fixture_write(const char *path, const char *text);
/* The map cannot be written from now on, or can again. */
void fixture_forbid_map(bool forbidden);
void fixture_remove_map(void);
/* The file's text, "" if absent; valid until the next call. */
const char *fixture_read(const char *path);

#endif
