/*
 * The table of settings: one row for each key, with type, range and whether it widens trust.
 *
 * config.c calls it, and a test compares docs/configuration.md with it. Immutable; any thread.
 */
#ifndef AKVEKM_BASE_CONFIG_TABLE_H
#define AKVEKM_BASE_CONFIG_TABLE_H

#include <stddef.h>

#include "base/config_record.h"

#define CONFIG_SETTINGS_MAX 40

struct config_setting;

/* NULL: no such key. Keys are compared exactly. */
const struct config_setting *config_setting_find(const char *key);
size_t config_setting_index(const struct config_setting *setting);
size_t config_setting_count(void);
const char *config_setting_key(size_t index);

/* EKM_CONFIGURATION with a reason (a static string), or EKM_OUT_OF_MEMORY. */
enum ekm_rc config_setting_read(const struct config_setting *setting, const char *value,
                                struct config *config, const char **why) EKM_MUST_CHECK;
/* The setting's value as it would be written in the file; cut off if it does not fit. */
void config_setting_text(size_t index, const struct config *config, char *out, size_t cap);

#endif
