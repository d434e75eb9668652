/*
 * A cryptographic provider library loaded by path: the 17 exports, what it says of itself, its
 * sessions, each call with the two-call dance, traced and timed on stderr if asked, its breaches of
 * the interface reported (provider_conformance.h).
 *
 * Knows no catalog, raises no engine message: it gives codes. Any thread, any number of sessions;
 * unloading waits for nobody.
 */
#ifndef EKMHOST_PROVIDER_LIBRARY_H
#define EKMHOST_PROVIDER_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <akvekm/sqlcrypt.h>

struct provider_library; /* one loaded file, initialized */
struct provider_session;

enum { PROVIDER_MAX_ALGORITHMS = 64 };

struct provider_algorithm {
    SqlCpAlgId id;
    char tag[64];
    SqlCpKeyType type;
    uint32_t bit_len, iv_len;
};

struct provider_info {
    char guid[37]; /* 8-4-4-4-12 upper-case hex digits, no braces */
    char name[256];
    SqlCpVersion version, api_version;
    SqlCpAuthType auth_type;
    uint32_t symmetric_support, asymmetric_support, thumbprint_len;
    bool accepts_key_name;
    bool overwrote_name; /* the provider put a pointer of its own in place of the caller's buffer */
    struct provider_algorithm algorithms[PROVIDER_MAX_ALGORITHMS];
    size_t algorithm_count;
};

struct provider_key_info {
    char name[513];
    uint8_t thumbprint[SQLCP_MAX_THUMBPRINT_BYTES];
    size_t thumbprint_len;
    SqlCpAlgId algorithm_id;
    SqlCpKeyFlags flags;
};

/* Which step failed; the code is the provider's. */
enum provider_step {
    PROVIDER_STEP_NONE,
    PROVIDER_STEP_LOAD,       /* text says why */
    PROVIDER_STEP_EXPORT,     /* state is the number of the missing one, text its name */
    PROVIDER_STEP_INITIALIZE, /* SqlCryptInitializeProvider */
    PROVIDER_STEP_INFO,       /* SqlCryptGetProviderInfo */
    PROVIDER_STEP_ALGORITHMS  /* SqlCryptGetNextAlgorithmId or SqlCryptGetAlgorithmInfo */
};

struct provider_fault {
    enum provider_step step;
    int state, code;
    char text[300];
};

/* Loads, checks the exports, initializes, asks for info and algorithms. NULL: *fault says what
 * failed (everything is undone). */
struct provider_library *provider_library_load(const char *path, bool trace,
                                               struct provider_fault *fault);
void provider_library_unload(struct provider_library *library); /* Free and dlclose; NULL allowed */
const struct provider_info *provider_library_info(const struct provider_library *library);

/* Sessions. `spid` 0 is the engine. All functions below return the provider's code. */
int provider_session_open(struct provider_library *library, const char *identity,
                          const char *secret, int spid, struct provider_session **session);
void provider_session_close(struct provider_session *session, bool abort_calls);

/* SqlCryptGetAlgorithmInfo, asked anew. */
int provider_session_algorithm(struct provider_session *session, SqlCpAlgId id,
                               struct provider_algorithm *algorithm);

/* The book of open sessions, for sys.dm_cryptographic_provider_sessions. Calls `each` for every
 * one. */
struct provider_session_entry {
    uint64_t handle;
    const char *identity;
    int spid;
};
void provider_library_sessions(struct provider_library *library,
                               void (*each)(void *context,
                                            const struct provider_session_entry *entry),
                               void *context);

int provider_key_by_name(struct provider_session *session, const char *name,
                         struct provider_key_info *info);
int provider_key_by_thumbprint(struct provider_session *session, const uint8_t *thumbprint,
                               size_t len, struct provider_key_info *info);
int provider_key_by_id(struct provider_session *session, SqlCpKeyId id,
                       struct provider_key_info *info);
int provider_key_next_id(struct provider_session *session, SqlCpKeyId *id);
/* *blob is to be freed. */
int provider_key_export(struct provider_session *session, const uint8_t *thumbprint, size_t len,
                        uint8_t **blob, size_t *blob_len);
int provider_key_create(struct provider_session *session, const char *name, SqlCpAlgId algorithm,
                        SqlCpKeyFlags flags, struct provider_key_info *thumbprint_out);
int provider_key_drop(struct provider_session *session, const uint8_t *thumbprint, size_t len);
/* *out is to be wiped and freed. */
int provider_encrypt(struct provider_session *session, const uint8_t *thumbprint,
                     size_t thumbprint_len, const uint8_t *in, size_t in_len, uint8_t **out,
                     size_t *out_len);
int provider_decrypt(struct provider_session *session, const uint8_t *thumbprint,
                     size_t thumbprint_len, const uint8_t *in, size_t in_len, uint8_t **out,
                     size_t *out_len);

#endif
