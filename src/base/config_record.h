/*
 * The settings as they are in memory, for config.c and the files that read and write their values.
 *
 * Types, and the functions of config_table.c for a whole record. Any thread.
 */
#ifndef AKVEKM_BASE_CONFIG_RECORD_H
#define AKVEKM_BASE_CONFIG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "akvekm/sqlcrypt.h"
#include "base/err.h"
#include "base/rsa_public.h"
#include "base/sign_in_form.h"

enum log_level { LEVEL_NONE, LEVEL_ERROR, LEVEL_INFO, LEVEL_DEBUG };
struct text_list {
    char **items;
    size_t count;
};
struct config {
    char path[1024]; /* the file that was read, or "" for none */
    SqlCpGuid provider_guid;
    bool foreign_guid; /* provider_guid names another provider: specification.md section 4 */
    SqlCpVersion provider_version;
    char provider_name[512]; /* UTF-8 */
    bool report_3072_as_2048, wrap_auto, verify_wrap, wrap_locally, allow_create, allow_drop;
    uint32_t max_key_name_length;
    enum rsa_algorithm wrap_algorithm; /* used unless wrap_auto */
    enum rsa_algorithm unwrap_algorithms[RSA_ALGORITHM_COUNT];
    size_t unwrap_count;
    char keymap_file[1024];
    struct text_list vault_suffixes, authority_hosts, connect_to;
    struct text_list second_vault, secret_expires; /* see vault/second_vault.h, vault/expiry.h */
    struct sign_in_settings sign_in;
    uint32_t connect_timeout_ms, try_timeout_ms, call_timeout_ms, max_connections, trace_file_mb,
        second_vault_line;
    bool hedge, has_proxy, has_no_proxy;            /* false: use the system's setting */
    char proxy[512], no_proxy[2048], ca_file[1024]; /* "" for none */
    char log_file[1024], trace_file[1024], api_version[32], instance_tag[25];
    enum log_level log_level;
};
void config_defaults(struct config *config); /* allocates nothing */
/* Calls visit with each setting not at its default, as text. `widens`: it widens trust. */
void config_visit_changed(const struct config *config,
                          void (*visit)(void *context, const char *key, const char *value,
                                        bool widens),
                          void *context);

#endif
