/*
 * Shared by the integration tests: a vaultsim of their own, the built library, and the host's pairs
 * of calls (first the size, then the content).
 *
 * Owns the child process and its folder. Every function fails the running cmocka test if it does
 * not succeed, so callers check only results of the library. One thread sets up and tears down; the
 * pairs of calls may run in many.
 */
#ifndef AKVEKM_INTEGRATION_HARNESS_H
#define AKVEKM_INTEGRATION_HARNESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "akvekm/sqlcrypt.h"

#define SIM_VAULT    "contoso-vault.vault.azure.net"
#define SIM_SECRET   "Sim~Secret-0.with_hyphens-1"
#define SIM_PASSWORD "11111111222243338444555555555555" SIM_SECRET
/* The plain text that the tests wrap. Every log is searched for it afterwards. */
#define SIM_PLAIN "canary-plaintext-0123456789abcdef"

struct sim {
    pid_t pid;
    char folder[64];
};
/* Starts vaultsim on a new folder, with `option` and `value` unless NULL, and points AKVEKM_CONFIG
 * at its configuration. */
void sim_start(struct sim *sim, const char *option, const char *value);
/* Stops it, searches the library's log for secrets, removes the folder. */
void sim_stop(struct sim *sim);
int sim_tear_down(void **state); /* for cmocka: stops the struct sim of *state */
/* Ends the process but keeps the folder; sim_resume starts it again on the same port. */
void sim_kill(struct sim *sim);
void sim_resume(struct sim *sim);
/* A control request; json may be NULL. Gives the answer, which the caller frees, or NULL to drop
 * it. */
void sim_ctl(const struct sim *sim, const char *method, const char *path, const char *json);
char *sim_ask(const struct sim *sim, const char *path);
long sim_counter(const struct sim *sim, const char *name);
void sim_make_key(const struct sim *sim, const char *name);
/* Sets `key = value` in the library's configuration; read at the next Initialize. */
void sim_configure(const struct sim *sim, const char *line);
/* A file of vaultsim's folder ("akv-ekm.log", "keymap"), "" if it is absent; the caller frees it.
 */
char *sim_file(const struct sim *sim, const char *name);

/* One pointer for each export, named after it. */
#define EKM_EXPORTS(X)                                                                             \
    X(InitializeProvider)                                                                          \
    X(FreeProvider)                                                                                \
    X(OpenSession)                                                                                 \
    X(CloseSession)                                                                                \
    X(GetProviderInfo)                                                                             \
    X(GetNextAlgorithmId)                                                                          \
    X(GetAlgorithmInfo)                                                                            \
    X(CreateKey)                                                                                   \
    X(DropKey)                                                                                     \
    X(GetNextKeyId)                                                                                \
    X(GetKeyInfoByKeyId)                                                                           \
    X(GetKeyInfoByThumb)                                                                           \
    X(GetKeyInfoByName)                                                                            \
    X(ExportKey)                                                                                   \
    X(ImportKey)                                                                                   \
    X(Encrypt)                                                                                     \
    X(Decrypt)

struct ekm {
    void *module;
#define EKM_POINTER(name) __typeof__(&SqlCrypt##name) name;
    EKM_EXPORTS(EKM_POINTER)
#undef EKM_POINTER
};
void ekm_load(struct ekm *ekm);
void ekm_load_from(struct ekm *ekm, const char *path);
void ekm_unload(struct ekm *ekm);

/* ASCII to UTF-16 in `units`; the tests use no other names. */
SqlCpStr ekm_wide(const char *text, uint16_t *units);
SqlCpError ekm_open(const struct ekm *ekm, const char *identity, const char *secret,
                    SqlCpSession *session);
/* GetKeyInfoByName, first for the size, then for the content. thumb has 32 bytes; its cb is set. */
SqlCpError ekm_find(const struct ekm *ekm, const SqlCpSession *session, const char *name,
                    SqlCpData *thumb);
/* Encrypt or Decrypt, first for the size, then for the content. out has `cb` bytes. */
SqlCpError ekm_encrypt(const struct ekm *ekm, const SqlCpSession *session, const SqlCpData *thumb,
                       const SqlCpData *plain, SqlCpData *out);
SqlCpError ekm_decrypt(const struct ekm *ekm, const SqlCpSession *session, const SqlCpData *thumb,
                       const SqlCpData *cipher, SqlCpData *out);

/* A provider with an open session on SIM_VAULT, a key found by name and SIM_PLAIN wrapped under it.
 */
struct ready {
    struct sim *sim;
    struct ekm ekm;
    SqlCpSession session;
    SqlCpData thumb, cipher;
    uint8_t thumb_bytes[32], cipher_bytes[512];
};
void ready_open(struct ready *ready, struct sim *sim, const char *key);
void ready_close(struct ready *ready);
int ready_tear_down(void **state); /* for cmocka: closes that of *state and stops its sim */
/* The code of one Decrypt of the ready cipher; a success must give SIM_PLAIN. */
SqlCpError ready_decrypt(const struct ready *ready);

long now_ms(void);

#endif
