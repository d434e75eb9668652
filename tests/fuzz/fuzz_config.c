/* A configuration file: either it is refused with one line of reason, or every setting is in its
 * range and its text reads back as the same value. */
#include "fuzz.h"

// aims: src/base/config.c src/base/config_table.c src/base/config_text.c src/base/config_values.c
// with: memory_files.c

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/config_table.h"
#include "base/text.h"
#include "memory_files.h"

#define VALUE_MAX 70000

static void count_warning(void *context, const char *text)
{
    unsigned *count = context;
    FUZZ_CHECK(strstr(text, "unknown key") != NULL);
    ++*count;
}

static bool in_range(uint32_t value, uint32_t low, uint32_t high)
{
    return value >= low && value <= high;
}

static void check_names(const struct text_list *list, bool dotted)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];
        FUZZ_CHECK(text_is_name(item, ".-", 254) && (item[0] == '.') == dotted);
        FUZZ_CHECK(strstr(item, "..") == NULL && item[strlen(item) - 1] != '.');
    }
}

static void check_values(const struct config *config)
{
    FUZZ_CHECK(in_range(config->call_timeout_ms, 1000, 600000));
    FUZZ_CHECK(in_range(config->connect_timeout_ms, 100, 600000));
    FUZZ_CHECK(in_range(config->try_timeout_ms, 100, 600000));
    FUZZ_CHECK(in_range(config->max_connections, 1, 1024));
    FUZZ_CHECK(in_range(config->max_key_name_length, 1, 127));
    FUZZ_CHECK(in_range((uint32_t)config->unwrap_count, 1, RSA_ALGORITHM_COUNT));
    FUZZ_CHECK(config->log_level <= LEVEL_DEBUG && config->keymap_file[0] == '/');
    FUZZ_CHECK(config->log_file[0] == '\0' || config->log_file[0] == '/');
    FUZZ_CHECK(config->ca_file[0] == '\0' || config->ca_file[0] == '/');
    FUZZ_CHECK(config->provider_name[0] != '\0');
    FUZZ_CHECK(config->instance_tag[0] == '\0' || text_is_name(config->instance_tag, "._-", 24));
    FUZZ_CHECK(strpbrk(config->api_version, " &#/?") == NULL && config->api_version[0] != '\0');
    check_names(&config->vault_suffixes, true);
    check_names(&config->authority_hosts, false);
    unsigned seen = 0;
    for (size_t i = 0; i < config->unwrap_count; i++) {
        FUZZ_CHECK((seen & 1u << config->unwrap_algorithms[i]) == 0);
        seen |= 1u << config->unwrap_algorithms[i];
    }
}

/* All settings as text. The text of the proxies hides a password and does not mention `system`. */
static void write_settings(const struct config *config, struct buf *out)
{
    static char value[VALUE_MAX];
    for (size_t i = 0; i < config_setting_count(); i++) {
        const char *key = config_setting_key(i);
        config_setting_text(i, config, value, sizeof value);
        bool told = strstr(key, "proxy") == NULL && value[0] != '\0';
        FUZZ_CHECK(strchr(value, '\n') == NULL);
        FUZZ_CHECK(!told || buf_append_format(out, "%s = %s\n", key, value) == EKM_OK);
    }
}

static enum ekm_rc fuzz_config_load(struct config *config, const void *data, size_t len,
                                    unsigned *warnings)
{
    char reason[512];
    memory_file_set(&memory_config, data, len);
    enum ekm_rc rc = config_load(config, reason, sizeof reason, count_warning, warnings);
    if (rc == EKM_OK) {
        FUZZ_CHECK(reason[0] == '\0');
    } else {
        FUZZ_CHECK(rc == EKM_CONFIGURATION && strncmp(reason, MEMORY_CONFIG, 18) == 0);
        FUZZ_CHECK(strchr(reason, '\n') == NULL && memchr(reason, 0, sizeof reason) != NULL);
        FUZZ_CHECK(config->vault_suffixes.items == NULL && config->connect_to.items == NULL &&
                   config->authority_hosts.items == NULL);
    }
    return rc;
}

static void check_fixpoint(const struct config *config)
{
    struct buf text = BUF_EMPTY((size_t)4 * VALUE_MAX), again = BUF_EMPTY((size_t)4 * VALUE_MAX);
    static struct config second;
    unsigned warnings = 0;
    write_settings(config, &text);
    if (text.len <= 65536) { /* the largest file that is read */
        FUZZ_CHECK(fuzz_config_load(&second, text.data, text.len, &warnings) == EKM_OK &&
                   warnings == 0);
        write_settings(&second, &again);
        FUZZ_CHECK(strcmp(buf_text(&text), buf_text(&again)) == 0);
        FUZZ_CHECK(second.foreign_guid == config->foreign_guid);
        config_free(&second);
    }
    buf_free(&text);
    buf_free(&again);
}

static void see_changed(void *context, const char *key, const char *value, bool widens)
{
    (void)context;
    (void)widens;
    FUZZ_CHECK(config_setting_find(key) != NULL && value != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    unsigned warnings = 0;
    FUZZ_CHECK(setenv("AKVEKM_CONFIG", MEMORY_CONFIG, 1) == 0);
    if (fuzz_config_load(&config, data, size, &warnings) != EKM_OK) {
        return 0;
    }
    FUZZ_CHECK(strcmp(config.path, MEMORY_CONFIG) == 0);
    check_values(&config);
    check_fixpoint(&config);
    config_visit_changed(&config, see_changed, NULL);
    config_free(&config);
    return 0;
}
