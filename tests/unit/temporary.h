/*
 * A temporary folder, and the map as text, wherever the system keeps either.
 *
 * Owns nothing. For helpers and tests that run on every system; the main thread alone.
 */
#ifndef AKVEKM_UNIT_TEMPORARY_H
#define AKVEKM_UNIT_TEMPORARY_H

#include <stdbool.h>
#include <stddef.h>

/* Makes a folder of our own; removes it with the files in it and below. */
bool temporary_make(char *folder, size_t cap);
bool temporary_remove(const char *folder);
bool temporary_setenv(const char *name, const char *value); /* NULL: unsets */

/* Windows alone: the registry's branch written and read as the lines of a map file. */
void registry_map_write(const char *text);
void registry_map_read(char *text, size_t cap);
void registry_map_forbid(bool forbidden); /* takes away the administrator's key, or makes it */

#endif
