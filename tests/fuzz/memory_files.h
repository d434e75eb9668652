/*
 * Files in memory in the place of the platform's, for targets that wrap them: the configuration,
 * the map, the tenants beside it, and a log that is looked at line by line.
 *
 * Owns their content. Everything else is absent. One thread.
 */
#ifndef AKVEKM_TESTS_MEMORY_FILES_H
#define AKVEKM_TESTS_MEMORY_FILES_H

#include "platform/file.h"

#define MEMORY_CONFIG  "/fuzz/akv-ekm.conf"
#define MEMORY_MAP     "/fuzz/map"
#define MEMORY_TENANTS MEMORY_MAP ".tenants"
#define MEMORY_LOG     "/fuzz/log"

struct memory_file {
    uint8_t *data; /* NULL: the file is absent */
    size_t len;
    uint64_t inode;     /* another one for each state of the file */
    enum plat_io fails; /* what reading and replacing end with; PLAT_IO_OK for success */
};
extern struct memory_file memory_config, memory_map, memory_tenants;

/* The file holds a copy of this from now on. */
void memory_file_set(struct memory_file *file, const void *data, size_t len);
void memory_file_remove(struct memory_file *file);

/* Called with each whole line that goes to the log file or to the system's log; NULL: none. */
extern void (*memory_log_line)(const char *line, size_t len);

#endif
