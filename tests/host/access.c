#include "access.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connection_state.h"
#include "memory.h"
#include "platform.h"

#define SERVICE_LOGIN "NT SERVICE\\MSSQLSERVER"

struct loaded_provider {
    struct loaded_provider *next;
    int provider_id; /* 0: retired, only open sessions still use it */
    struct provider_library *library;
};

bool access_enabled(const struct instance *instance, struct failure *failure)
{
    return catalog_setting(&instance->catalog, "EKM provider enabled") ||
           failure_set(failure, 33053, 0, "");
}

/* The engine's message for a failure to load. */
static bool set_load_failure(struct failure *failure, const char *path,
                             const struct provider_fault *fault)
{
    struct failure lacking;
    switch (fault->step) {
    case PROVIDER_STEP_EXPORT:
        failure_set(&lacking, 33085, 0, path);
        failure_set(failure, 33027, fault->state, path, fault->text);
        snprintf(failure->notice, sizeof failure->notice, "%.299s", lacking.text);
        return false;
    case PROVIDER_STEP_INITIALIZE:
        return failure_set_provider(failure, 33029, fault->code);
    case PROVIDER_STEP_INFO:
    case PROVIDER_STEP_ALGORITHMS:
        return failure_set_provider(failure, 33022, fault->code);
    default:
        return failure_set(failure, 33027, 0, path, fault->text);
    }
}

static bool check_info(const struct provider_info *info, struct failure *failure)
{
    const SqlCpVersion *api = &info->api_version;
    if (info->overwrote_name)
        return failure_set_provider(failure, 33029, 0);
    if (api->major != SQLCP_API_VERSION_MAJOR || api->minor != SQLCP_API_VERSION_MINOR ||
        api->build || api->revision)
        return failure_set(failure, 33032, 0, api->major, api->minor, SQLCP_API_VERSION_MAJOR,
                           SQLCP_API_VERSION_MINOR);
    if (info->auth_type != SQLCP_AUTH_OTHER && info->auth_type != SQLCP_AUTH_BASIC)
        return failure_set(failure, 33025, 0, "authentication type");
    if (info->thumbprint_len == 0 || info->thumbprint_len > SQLCP_MAX_THUMBPRINT_BYTES)
        return failure_set(failure, 33025, 0, "key thumbprint length");
    return true;
}

/* The library, loaded and checked, or NULL. */
static struct provider_library *access_load(struct instance *instance, const char *path,
                                            struct failure *failure)
{
    struct provider_fault fault = {0};
    instance_log_message(instance, 33090, path);
    struct provider_library *library = provider_library_load(path, instance->options.trace, &fault);
    if (library)
        instance_log_message(instance, 33080, path);
    if (!library) {
        set_load_failure(failure, path, &fault);
    } else if (!check_info(provider_library_info(library), failure)) {
        provider_library_unload(library);
        library = NULL;
    }
    return library;
}

bool access_try(struct instance *instance, const char *path, struct provider_info *info,
                struct failure *failure)
{
    struct provider_library *library = access_load(instance, path, failure);
    if (!library)
        return false;
    *info = *provider_library_info(library);
    provider_library_unload(library);
    return true;
}

void access_version_text(const SqlCpVersion *version, char out[24])
{
    snprintf(out, 24, "%02d.%02d.%04d.%02d", version->major, version->minor, version->build,
             version->revision);
}

/* Compares guid and version of the file with those of the catalog. */
static bool check_registered(const cJSON *provider, const struct provider_info *info,
                             struct failure *failure)
{
    char version[24];
    access_version_text(&info->version, version);
    if (strcasecmp(catalog_text(provider, "guid"), info->guid) != 0)
        return failure_set(failure, 33024, 0, info->guid, catalog_id(provider));
    if (strcmp(catalog_text(provider, "version"), version) != 0)
        return failure_set_provider(failure, 33029, 0);
    return true;
}

bool access_library(struct instance *instance, const cJSON *provider,
                    struct provider_library **library, struct failure *failure)
{
    bool good = true;
    *library = NULL;
    platform_mutex_lock(instance->providers_lock);
    struct loaded_provider *entry = instance->providers;
    while (entry && entry->provider_id != catalog_id(provider))
        entry = entry->next;
    if (entry) {
        *library = entry->library;
    } else {
        *library = access_load(instance, catalog_text(provider, "path"), failure);
        good = *library && check_registered(provider, provider_library_info(*library), failure);
        if (good) {
            entry = memory_take(sizeof *entry);
            *entry = (struct loaded_provider){instance->providers, catalog_id(provider), *library};
            instance->providers = entry;
        } else {
            provider_library_unload(*library);
        }
    }
    platform_mutex_unlock(instance->providers_lock);
    return good;
}

struct provider_library *access_loaded(struct instance *instance, int provider_id)
{
    platform_mutex_lock(instance->providers_lock);
    struct loaded_provider *entry = instance->providers;
    while (entry && entry->provider_id != provider_id)
        entry = entry->next;
    struct provider_library *library = entry ? entry->library : NULL;
    platform_mutex_unlock(instance->providers_lock);
    return library;
}

static void count_session(void *context, const struct provider_session_entry *entry)
{
    (void)entry;
    ++*(size_t *)context;
}

void access_unload(struct instance *instance, int provider_id)
{
    struct loaded_provider **link = &instance->providers;
    while (*link && (*link)->provider_id != provider_id)
        link = &(*link)->next;
    struct loaded_provider *entry = *link;
    size_t sessions = 0;
    if (!entry)
        return;
    provider_library_sessions(entry->library, count_session, &sessions);
    if (sessions > 0) {
        entry->provider_id = 0;
        return;
    }
    *link = entry->next;
    provider_library_unload(entry->library);
    free(entry);
}

void access_reload(struct connection *connection)
{
    struct loaded_provider *entry = NULL;
    access_end(connection);
    platform_mutex_lock(connection->instance->providers_lock);
    while ((entry = connection->instance->providers) != NULL) {
        connection->instance->providers = entry->next;
        provider_library_unload(entry->library);
        free(entry);
    }
    platform_mutex_unlock(connection->instance->providers_lock);
}

void access_stop(struct instance *instance)
{
    while (instance->providers) {
        struct loaded_provider *entry = instance->providers;
        instance->providers = entry->next;
        provider_library_unload(entry->library);
        free(entry);
    }
}

/* The credential of this provider that is mapped to the login; NULL if there is none. */
static const cJSON *mapped_credential(const struct catalog *catalog, const cJSON *login,
                                      int provider_id)
{
    const cJSON *id = NULL;
    cJSON_ArrayForEach(id, cJSON_GetObjectItemCaseSensitive(login, "credentials"))
    {
        const cJSON *credential = catalog_find_number(catalog, "credentials", "id", id->valueint);
        if (catalog_number(credential, "provider_id") == provider_id)
            return credential;
    }
    return NULL;
}

static bool open_session(struct instance *instance, const cJSON *provider, const cJSON *credential,
                         int spid, struct provider_session **session, struct failure *failure)
{
    struct provider_library *library = NULL;
    const char *name = catalog_text(provider, "name");
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(provider, "is_enabled")))
        return failure_set(failure, 33031, 0, name);
    if (!access_library(instance, provider, &library, failure))
        return false;
    char *secret = NULL;
    const char *identity = NULL;
    if (provider_library_info(library)->auth_type == SQLCP_AUTH_BASIC) {
        secret = catalog_unseal(&instance->catalog, catalog_text(credential, "secret"));
        identity = catalog_text(credential, "identity");
        if (!secret)
            return failure_set(failure, 33047, 0, catalog_text(credential, "name"));
    }
    int code = provider_session_open(library, identity, secret, spid, session);
    memory_wipe_text(secret);
    return code == SQLCP_SUCCESS ||
           failure_set_provider(failure, 33028, code, "cryptographic provider", name);
}

static bool find_provider(const struct instance *instance, int provider_id, const cJSON **provider,
                          struct failure *failure)
{
    if (!access_enabled(instance, failure))
        return false;
    *provider = catalog_find_number(&instance->catalog, "providers", "id", provider_id);
    return *provider || failure_set(failure, 33030, 0, "");
}

bool access_user(struct connection *connection, const cJSON *provider,
                 struct provider_session **session, struct failure *failure)
{
    struct instance *instance = connection->instance;
    int id = catalog_id(provider);
    if (!access_enabled(instance, failure))
        return false;
    for (size_t i = 0; i < connection->session_count; i++) {
        if (connection->sessions[i].provider_id == id) {
            *session = connection->sessions[i].session;
            return true;
        }
    }
    const cJSON *credential =
        mapped_credential(&instance->catalog, connection_login(connection), id);
    if (!credential)
        credential = mapped_credential(
            &instance->catalog, catalog_find(&instance->catalog, "logins", SERVICE_LOGIN), id);
    if (!credential)
        return failure_set(failure, 33046, 0, connection->login, catalog_text(provider, "name"));
    if (!open_session(instance, provider, credential, connection->spid, session, failure))
        return false;
    size_t count = ++connection->session_count;
    connection->sessions = memory_grow(connection->sessions, count * sizeof *connection->sessions);
    connection->sessions[count - 1] = (struct user_session){id, *session};
    return true;
}

void access_end(struct connection *connection)
{
    for (size_t i = 0; i < connection->session_count; i++)
        provider_session_close(connection->sessions[i].session, false);
    free(connection->sessions);
    connection->sessions = NULL;
    connection->session_count = 0;
}

bool access_engine(struct instance *instance, const cJSON *key, struct provider_session **session,
                   struct failure *failure)
{
    const struct catalog *catalog = &instance->catalog;
    const cJSON *provider = NULL;
    *session = NULL;
    if (!find_provider(instance, catalog_number(key, "provider_id"), &provider, failure))
        return false;
    const cJSON *login =
        catalog_find_number(catalog, "logins", "asymmetric_key_id", catalog_id(key));
    if (!login)
        return failure_set(failure, 33121, 0, catalog_text(key, "name"),
                           catalog_text(provider, "name"));
    const cJSON *credential = mapped_credential(catalog, login, catalog_id(provider));
    if (!credential)
        return failure_set(failure, 33046, 0, catalog_text(login, "name"),
                           catalog_text(provider, "name"));
    return open_session(instance, provider, credential, 0, session, failure);
}

void access_release(struct provider_session *session)
{
    if (session)
        provider_session_close(session, false);
}
