/*
 * Where the system keeps files of the library, and which paths are absolute.
 *
 * Owns nothing. Any layer and thread.
 */
#ifndef AKVEKM_PLATFORM_DEFAULT_PATHS_H
#define AKVEKM_PLATFORM_DEFAULT_PATHS_H

#include <stdbool.h>
#include <stddef.h>

bool default_paths_is_absolute(const char *path);
/* The index-th path where a configuration file may be; false after the last. */
bool default_paths_config(size_t index, char *out, size_t cap);
/* The file of the map, or "" where the map is not a file. */
void default_paths_keymap(char *out, size_t cap);
/* The folder for certificates of applications. */
void default_paths_certificates(char *out, size_t cap);
/* The folder where the Azure Arc agent puts its keys, without a final separator. */
void default_paths_arc_keys(char *out, size_t cap);
/* The agent's program. */
void default_paths_arc_agent(char *out, size_t cap);
/* The log file, or "" if its folder does not exist. */
void default_paths_log(char *out, size_t cap);

#endif
