#include "provider/provider_info.h"

#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "platform/thread.h"

#define NAME_UNITS (SQLCP_MAX_FRIENDLY_NAME_BYTES / 2)
#define TAG_UNITS  8

struct identity {
    SqlCpGuid guid;
    SqlCpVersion version;
    uint32_t name_units;
    uint16_t name[NAME_UNITS];
};

struct algorithm {
    uint32_t bits;
    uint16_t tag[TAG_UNITS];
};

#define RSA_TAG(a, b, c, d)                                                                        \
    {                                                                                              \
        'R', 'S', 'A', '_', a, b, c, d                                                             \
    }
/* The id is the position, counted from 1. */
static const struct algorithm algorithms[] = {
    {2048, RSA_TAG('2', '0', '4', '8')},
    {3072, RSA_TAG('3', '0', '7', '2')},
    {4096, RSA_TAG('4', '0', '9', '6')},
};
#define ALGORITHM_COUNT ((SqlCpAlgId)(sizeof algorithms / sizeof algorithms[0]))

static struct plat_mutex lock = PLAT_MUTEX_INIT;
static struct identity identity;
static bool identity_set;

static void set_locked(const struct config *config)
{
    size_t units = text_to_utf16(config->provider_name, identity.name, NAME_UNITS);
    identity.guid = config->provider_guid;
    identity.version = config->provider_version;
    identity.name_units = units <= NAME_UNITS ? (uint32_t)units : 0;
    identity_set = true;
}

void provider_info_set(const struct config *config)
{
    plat_mutex_lock(&lock);
    set_locked(config);
    plat_mutex_unlock(&lock);
}

/* The identity before the first Initialize, without a configuration. */
static void set_defaults(void)
{
    struct config config;
    struct plat_errors errors;
    plat_errors_save(&errors);
    config_defaults(&config);
    plat_mutex_lock(&lock);
    if (!identity_set) {
        set_locked(&config);
    }
    plat_mutex_unlock(&lock);
    plat_errors_restore(&errors);
}

static bool copy_provider(SqlCpProviderInfo *out, enum ekm_rc *rc)
{
    plat_mutex_lock(&lock);
    bool known = identity_set;
    uint32_t name_bytes = 2 * identity.name_units;
    bool is_short = out->name.ws == NULL || out->name.cb < name_bytes;
    if (known && is_short) {
        out->name.cb = name_bytes;
    } else if (known) {
        SqlCpProviderInfo info;
        memset(&info, 0, sizeof info);
        info.name.ws = out->name.ws;
        info.name.cb = name_bytes;
        info.guid = identity.guid;
        memcpy(&info.version, &identity.version, sizeof info.version);
        info.scpVersion.major = SQLCP_API_VERSION_MAJOR;
        info.scpVersion.minor = SQLCP_API_VERSION_MINOR;
        info.authType = SQLCP_AUTH_BASIC;
        info.asymmKeySupport = SQLCP_KEY_FLAG_SUPPORTED;
        info.cbKeyThumbLen = THUMBPRINT_BYTES;
        info.fAcceptsKeyName = 1;
        memcpy(info.name.ws, identity.name, name_bytes);
        memcpy(out, &info, sizeof info);
    }
    plat_mutex_unlock(&lock);
    *rc = is_short ? EKM_INSUFFICIENT_BUFFER : EKM_OK;
    return known;
}

enum ekm_rc provider_info_read(SqlCpProviderInfo *out)
{
    enum ekm_rc rc = EKM_OK;
    if (out == NULL) {
        return EKM_INVALID_ARGUMENT;
    }
    if (!copy_provider(out, &rc)) {
        set_defaults();
        (void)copy_provider(out, &rc);
    }
    return rc;
}

enum ekm_rc provider_info_next_algorithm(SqlCpAlgId *id)
{
    if (id == NULL || *id > ALGORITHM_COUNT) {
        return EKM_INVALID_ARGUMENT;
    }
    if (*id == ALGORITHM_COUNT) {
        return EKM_NOT_FOUND;
    }
    ++*id;
    return EKM_OK;
}

enum ekm_rc provider_info_algorithm(SqlCpAlgId id, SqlCpAlgorithmInfo *out)
{
    if (out == NULL) {
        return EKM_INVALID_ARGUMENT;
    }
    if (id == SQLCP_INVALID_ID || id > ALGORITHM_COUNT) {
        return EKM_NOT_FOUND;
    }
    const struct algorithm *algorithm = &algorithms[id - 1];
    uint32_t room_bytes = out->algTag.cb;
    if (out->algTag.ws == NULL || room_bytes < sizeof algorithm->tag) {
        out->algTag.cb = sizeof algorithm->tag;
        return EKM_INSUFFICIENT_BUFFER;
    }
    SqlCpAlgorithmInfo info;
    memset(&info, 0, sizeof info);
    info.algId = id;
    info.algTag.ws = out->algTag.ws;
    info.algTag.cb = sizeof algorithm->tag;
    info.type = SQLCP_KEY_ASYMMETRIC;
    info.bitLen = algorithm->bits;
    memcpy(info.algTag.ws, algorithm->tag, sizeof algorithm->tag);
    memcpy(out, &info, sizeof info);
    return EKM_OK;
}

SqlCpAlgId provider_info_algorithm_of(const struct config *config, uint32_t key_bits)
{
    if (key_bits == 3072 && config->report_3072_as_2048) {
        key_bits = 2048;
    }
    for (SqlCpAlgId id = 1; id <= ALGORITHM_COUNT; id++) {
        if (algorithms[id - 1].bits == key_bits) {
            return id;
        }
    }
    return SQLCP_INVALID_ID;
}

uint32_t provider_info_algorithm_bits(SqlCpAlgId id)
{
    return id == SQLCP_INVALID_ID || id > ALGORITHM_COUNT ? 0 : algorithms[id - 1].bits;
}
