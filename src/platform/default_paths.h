/*
 * Where the system keeps what belongs to the library, and which paths it takes.
 *
 * Owns nothing. Any floor may call, any thread.
 */
#ifndef AKVEKM_PLATFORM_DEFAULT_PATHS_H
#define AKVEKM_PLATFORM_DEFAULT_PATHS_H

#include <stdbool.h>
#include <stddef.h>

bool default_paths_is_absolute(const char *path);
/* The index-th path at which a configuration file may stand; false past the last. */
bool default_paths_config(size_t index, char *out, size_t cap);
/* The map's file, "" where the map is no file. */
void default_paths_keymap(char *out, size_t cap);
/* The folder for certificates of applications. */
void default_paths_certificates(char *out, size_t cap);
/* The folder in which the agent of Azure Arc puts its keys, without a final separator. */
void default_paths_arc_keys(char *out, size_t cap);
/* The agent's program. */
void default_paths_arc_agent(char *out, size_t cap);
/* The log's file, "" if its folder does not exist. */
void default_paths_log(char *out, size_t cap);

#endif
