/*
 * The properties of a provider, and the ways in which loading it can fail. Types only.
 */
#ifndef EKMHOST_PROVIDER_INFO_H
#define EKMHOST_PROVIDER_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <akvekm/sqlcrypt.h>

enum { PROVIDER_MAX_ALGORITHMS = 64 };
/* In place of a code: the call raised an exception. */
enum { PROVIDER_EXCEPTION = -33055 };

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
    bool overwrote_name; /* the provider replaced the pointer to the caller's buffer by its own */
    struct provider_algorithm algorithms[PROVIDER_MAX_ALGORITHMS];
    size_t algorithm_count;
};

/* The step that failed; the code is the provider's. */
enum provider_step {
    PROVIDER_STEP_NONE,
    PROVIDER_STEP_LOAD,       /* text is the reason */
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

#endif
