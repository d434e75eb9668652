#include "base/config_table.h"

#include <string.h>

#include "base/config_values.h"
#include "base/text.h"
#include "platform/default_paths.h"

struct config_setting {
    const char *key;
    struct config_kind kind;
    size_t offset;
    bool widens; /* widens trust, so each Initialize logs it */
};

#define AT(member)   offsetof(struct config, member)
#define SIZE(member) sizeof((struct config *)NULL)->member
/* clang-format off */
static const struct config_setting settings[] = {
    {"allow_create",        {KIND_BOOL, 0, 0},                    AT(allow_create), true},
    {"allow_drop",          {KIND_BOOL, 0, 0},                    AT(allow_drop), true},
    {"aks_token_proxy",     {KIND_BOOL, 0, 0},                    AT(sign_in.aks_token_proxy), true},
    {"api_version",         {KIND_API_VERSION, 0, SIZE(api_version)}, AT(api_version), false},
    {"authority_hosts",     {KIND_HOSTS, 0, 0},                   AT(authority_hosts), true},
    {"ca_file",             {KIND_PATH, 0, SIZE(ca_file)},        AT(ca_file), true},
    {"call_timeout_ms",     {KIND_NUMBER, 1000, 600000},          AT(call_timeout_ms), false},
    {"certificate_folder",  {KIND_PATH, 1, SIZE(sign_in.certificate_folder)}, AT(sign_in.certificate_folder), false},
    {"connect_timeout_ms",  {KIND_NUMBER, 100, 600000},           AT(connect_timeout_ms), false},
    {"connect_to",          {KIND_CONNECT_TO, 0, 0},              AT(connect_to), true},
    {"federated_client_id", {KIND_CLIENT_ID, 0, SIZE(sign_in.client_id)}, AT(sign_in.client_id), false},
    {"federated_tenant",    {KIND_TENANT, 0, SIZE(sign_in.tenant)}, AT(sign_in.tenant), false},
    {"federated_token_file", {KIND_PATH, 0, SIZE(sign_in.token_file)}, AT(sign_in.token_file), false},
    {"hedge",               {KIND_BOOL, 0, 0},                    AT(hedge), false},
    {"instance_tag",        {KIND_NAME, 0, SIZE(instance_tag)},   AT(instance_tag), false},
    {"keymap_file",         {KIND_PATH, 1, SIZE(keymap_file)},    AT(keymap_file), false},
    {"log_file",            {KIND_PATH, 0, SIZE(log_file)},       AT(log_file), false},
    {"log_level",           {KIND_LEVEL, 0, 0},                   AT(log_level), false},
    {"managed_identity_source", {KIND_SOURCE, 0, 0},              AT(sign_in.source), false},
    {"max_connections",     {KIND_NUMBER, 1, 1024},               AT(max_connections), false},
    {"max_key_name_length", {KIND_NUMBER, 1, 127},                AT(max_key_name_length), false},
    {"no_proxy",            {KIND_PROXY, 0, SIZE(no_proxy)},      AT(no_proxy), false},
    {"provider_guid",       {KIND_GUID, 0, 0},                    AT(provider_guid), true},
    {"provider_name",       {KIND_TEXT, 0, SIZE(provider_name)},  AT(provider_name), true},
    {"provider_version",    {KIND_VERSION, 0, 0},                 AT(provider_version), true},
    {"proxy",               {KIND_PROXY, 0, SIZE(proxy)},         AT(proxy), false},
    {"report_3072_as_2048", {KIND_BOOL, 0, 0},                    AT(report_3072_as_2048), false},
    {"second_vault",        {KIND_PAIRS, 0, 0},                   AT(second_vault), true},
    {"secret_expires",      {KIND_DATES, 0, 0},                   AT(secret_expires), false},
    {"sign_in",             {KIND_FORMS, 0, 0},                   AT(sign_in.forms), false},
    {"trace_file",          {KIND_PATH, 0, SIZE(trace_file)},     AT(trace_file), false},
    {"trace_file_mb",       {KIND_NUMBER, 1, 4096},               AT(trace_file_mb), false},
    {"try_timeout_ms",      {KIND_NUMBER, 100, 600000},           AT(try_timeout_ms), false},
    {"unwrap_algorithms",   {KIND_UNWRAP, 0, 0},                  AT(unwrap_algorithms), false},
    {"vault_suffixes",      {KIND_SUFFIXES, 0, 0},                AT(vault_suffixes), true},
    {"verify_wrap",         {KIND_BOOL, 0, 0},                    AT(verify_wrap), false},
    {"wrap_algorithm",      {KIND_WRAP, 0, 0},                    AT(wrap_algorithm), false},
    {"wrap_locally",        {KIND_BOOL, 0, 0},                    AT(wrap_locally), false},
};
/* clang-format on */
#define COUNT (sizeof settings / sizeof settings[0])
_Static_assert(COUNT <= CONFIG_SETTINGS_MAX, "seen[] in config.c has a place for each");

const struct config_setting *config_setting_find(const char *key)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(settings[i].key, key) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

size_t config_setting_index(const struct config_setting *setting)
{
    return (size_t)(setting - settings);
}

size_t config_setting_count(void)
{
    return COUNT;
}

const char *config_setting_key(size_t index)
{
    return settings[index].key;
}

static const SqlCpGuid own_guid = {
    0x8F3C6A1E, 0x5D2B, 0x4E79, {0x9C, 0x41, 0x7A, 0x0E, 0x2B, 0x6D, 0x5F, 0x13}};

/* Settings whose value changes another setting. */
static enum ekm_rc config_settle_defaults(const struct config_setting *setting,
                                          struct config *config)
{
    char *field = (char *)config + setting->offset;
    if (field == config->proxy) {
        /* `system` is the default, written out. */
        config->has_proxy = strcmp(field, "system") != 0;
        if (!config->has_proxy) {
            field[0] = '\0';
        }
    } else if (field == config->no_proxy) {
        config->has_no_proxy = true;
    } else if (setting->kind.type == KIND_GUID) {
        config->foreign_guid = memcmp(&config->provider_guid, &own_guid, sizeof own_guid) != 0;
    }
    return EKM_OK;
}

enum ekm_rc config_setting_read(const struct config_setting *setting, const char *value,
                                struct config *config, const char **why)
{
    enum ekm_rc rc =
        config_value_read(&setting->kind, value, (char *)config + setting->offset, config, why);
    if (rc != EKM_OK) {
        return rc;
    }
    return config_settle_defaults(setting, config);
}

void config_setting_text(size_t index, const struct config *config, char *out, size_t cap)
{
    config_value_text(&settings[index].kind, (const char *)config + settings[index].offset, config,
                      out, cap);
}

void config_defaults(struct config *config)
{
    memset(config, 0, sizeof *config);
    config->provider_guid = own_guid;
    config->provider_version = (SqlCpVersion){1, 0, 0, 0};
    (void)text_copy(config->provider_name, sizeof config->provider_name,
                    "Azure Key Vault EKM Provider (akv-ekm)");
    config->max_key_name_length = 26;
    config->wrap_auto = true;
    config->wrap_algorithm = RSA_OAEP_256;
    config->unwrap_algorithms[0] = RSA_OAEP_256;
    config->unwrap_algorithms[1] = RSA_OAEP;
    config->unwrap_algorithms[2] = RSA1_5;
    config->unwrap_count = 3;
    default_paths_keymap(config->keymap_file, sizeof config->keymap_file);
    default_paths_log(config->log_file, sizeof config->log_file);
    default_paths_certificates(config->sign_in.certificate_folder,
                               sizeof config->sign_in.certificate_folder);
    config->sign_in.forms = SIGN_IN_ALL;
    config->log_level = LEVEL_INFO;
    config->connect_timeout_ms = 10000;
    config->try_timeout_ms = 10000;
    config->call_timeout_ms = 30000;
    config->max_connections = 64;
    config->hedge = true;
    config->trace_file_mb = 64;
    (void)text_copy(config->api_version, sizeof config->api_version, "7.4");
}

void config_visit_changed(const struct config *config,
                          void (*visit)(void *context, const char *key, const char *value,
                                        bool widens),
                          void *context)
{
    struct config defaults;
    char value[2048], usual[2048];
    config_defaults(&defaults);
    for (size_t i = 0; i < COUNT; i++) {
        config_setting_text(i, config, value, sizeof value);
        config_setting_text(i, &defaults, usual, sizeof usual);
        bool set_empty = (strcmp(settings[i].key, "proxy") == 0 && config->has_proxy) ||
                         (strcmp(settings[i].key, "no_proxy") == 0 && config->has_no_proxy);
        if (set_empty || strcmp(value, usual) != 0) {
            visit(context, settings[i].key, value, settings[i].widens);
        }
    }
}
