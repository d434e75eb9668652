#include "base/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/config_table.h"
#include "base/text.h"
#include "base/unseen.h"
#include "platform/default_paths.h"
#include "platform/file.h"
#include "platform/system.h"

#define FILE_MAX_BYTES 65536

struct reading {
    struct config *config;
    char *reason;
    size_t reason_cap;
    void (*warn)(void *context, const char *text);
    void *context;
    unsigned line;
    bool seen[CONFIG_SETTINGS_MAX];
};

static enum ekm_rc config_refuse(struct reading *reading, const char *key, const char *why)
{
    char line[16] = "";
    if (reading->line > 0) {
        (void)text_format(line, sizeof line, ":%u", reading->line);
    }
    (void)text_format(reading->reason, reading->reason_cap, "%s%s: %s%s%s", reading->config->path,
                      line, key, key[0] != '\0' ? ": " : "", why);
    return EKM_CONFIGURATION;
}

/* The value may be a password, so it is not shown. Invisible characters at its ends are named. */
static enum ekm_rc config_refuse_value(struct reading *reading, const char *key, const char *value,
                                       const char *why)
{
    char text[300];
    size_t size = 0, len = strlen(value);
    const char *last = unseen_last(value, len, &size), *first = unseen_first(value, len, &size);
    (void)text_format(text, sizeof text, "%s%s%s%s%s", why,
                      first != NULL ? "; it begins with " : "", first != NULL ? first : "",
                      last != NULL ? "; it ends with " : "", last != NULL ? last : "");
    return config_refuse(reading, key, text);
}

static char *config_trim(char *text)
{
    while (*text == ' ' || *text == '\t') {
        text++;
    }
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL) {
        text[--len] = '\0';
    }
    return text;
}

static void warn_unknown(struct reading *reading, const char *key)
{
    char text[256];
    (void)text_format(text, sizeof text, "%s:%u: unknown key %.100s is ignored",
                      reading->config->path, reading->line, key);
    if (reading->warn != NULL) {
        reading->warn(reading->context, text);
    }
}

static enum ekm_rc config_read_line(struct reading *reading, char *line)
{
    line = config_trim(line);
    if (*line == '\0' || *line == '#') {
        return EKM_OK;
    }
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        return config_refuse(reading, "", "a line must be `key = value`");
    }
    *equals = '\0';
    const char *key = config_trim(line), *value = config_trim(equals + 1);
    const struct config_setting *setting = config_setting_find(key);
    if (setting == NULL) {
        warn_unknown(reading, key);
        return EKM_OK;
    }
    size_t index = config_setting_index(setting);
    if (reading->seen[index]) {
        return config_refuse(reading, key, "is set twice");
    }
    reading->seen[index] = true;
    const char *why = NULL;
    enum ekm_rc rc = config_setting_read(setting, value, reading->config, &why);
    if (strcmp(key, "second_vault") == 0) {
        reading->config->second_vault_line = reading->line; /* it is judged when all is read */
    }
    return rc == EKM_CONFIGURATION ? config_refuse_value(reading, key, value, why) : rc;
}

static enum ekm_rc config_read_lines(struct reading *reading, char *text)
{
    while (text != NULL) {
        char *end = strchr(text, '\n');
        if (end != NULL) {
            *end++ = '\0';
        }
        reading->line++;
        enum ekm_rc rc = config_read_line(reading, text);
        if (rc != EKM_OK) {
            return rc;
        }
        text = end;
    }
    return EKM_OK;
}

static enum ekm_rc config_read_file(struct reading *reading, int handle)
{
    struct buf text = BUF_EMPTY(FILE_MAX_BYTES);
    size_t len = 0;
    enum ekm_rc rc = buf_reserve(&text, FILE_MAX_BYTES);
    if (rc != EKM_OK) {
        return rc;
    }
    enum plat_io io = plat_file_read(handle, text.data, FILE_MAX_BYTES, &len);
    text.data[len] = 0;
    if (io != PLAT_IO_OK) {
        rc = config_refuse(reading, "", plat_io_text(io));
    } else if (memchr(text.data, 0, len) != NULL) {
        rc = config_refuse(reading, "", "contains a zero byte");
    } else {
        char *lines = (char *)text.data;
        rc = config_read_lines(reading, lines + text_mark_len(lines, len));
    }
    buf_free(&text);
    return rc;
}

/* Warns about a file at a later place that is therefore not read. */
static void config_warn_passed_over(struct reading *reading, size_t next)
{
    char path[sizeof reading->config->path], text[256];
    struct plat_file_state state;
    for (; reading->warn != NULL && default_paths_config(next, path, sizeof path); next++) {
        if (plat_file_state(path, &state) != PLAT_IO_ABSENT) {
            (void)text_format(text, sizeof text, "%s is not read: %s comes first", path,
                              reading->config->path);
            reading->warn(reading->context, text);
        }
    }
}

/* Opens AKVEKM_CONFIG, which must exist if it is set, or the first place that has a file.
 * config->path stays "" if AKVEKM_CONFIG is not a usable path. */
static enum plat_io config_open(struct reading *reading, int *handle)
{
    struct config *config = reading->config;
    struct plat_file_state state;
    enum plat_io io = PLAT_IO_ABSENT;
    if (plat_environment("AKVEKM_CONFIG", config->path, sizeof config->path) > 0) {
        if (!default_paths_is_absolute(config->path)) {
            config->path[0] = '\0';
            return PLAT_IO_FAILED;
        }
        return plat_file_open(config->path, PLAT_TRUST_REQUIRED, handle, &state);
    }
    size_t i = 0;
    for (; io == PLAT_IO_ABSENT && default_paths_config(i, config->path, sizeof config->path);
         i++) {
        io = plat_file_open(config->path, PLAT_TRUST_REQUIRED, handle, &state);
    }
    if (io == PLAT_IO_OK) {
        config_warn_passed_over(reading, i);
    }
    if (io == PLAT_IO_ABSENT) {
        config->path[0] = '\0';
        io = PLAT_IO_OK;
    }
    return io;
}

enum ekm_rc config_load(struct config *config, char *reason, size_t reason_cap,
                        void (*warn)(void *context, const char *text), void *context)
{
    struct reading reading = {config, reason, reason_cap, warn, context, 0, {false}};
    int handle = -1;
    config_defaults(config);
    (void)text_copy(reason, reason_cap, "");
    enum plat_io io = config_open(&reading, &handle);
    enum ekm_rc rc = EKM_OK;
    if (io != PLAT_IO_OK) {
        bool usable = config->path[0] != '\0';
        char why[640] = "is not an absolute path of less than 1024 bytes";
        if (usable) {
            plat_file_explain(config->path, io, why, sizeof why);
        }
        (void)text_format(reason, reason_cap, "%s: %s", usable ? config->path : "AKVEKM_CONFIG",
                          why);
        rc = EKM_CONFIGURATION;
    } else if (handle >= 0) {
        rc = config_read_file(&reading, handle);
    }
    plat_file_close(&handle);
    if (rc == EKM_OUT_OF_MEMORY) {
        (void)text_copy(reason, reason_cap, ekm_text(rc));
    }
    if (rc != EKM_OK) {
        config_free(config);
    }
    return rc;
}

static void free_list(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

void config_free(struct config *config)
{
    free_list(&config->vault_suffixes);
    free_list(&config->authority_hosts);
    free_list(&config->connect_to);
    free_list(&config->second_vault);
    free_list(&config->secret_expires);
    plat_wipe(config->proxy, sizeof config->proxy); /* may hold a password */
}
