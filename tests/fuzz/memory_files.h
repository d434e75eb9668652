/*
 * Files in memory in the place of the platform's, for targets that wrap them: the configuration, the
 * map, and a log that is looked at line by line.
 *
 * Everything else is absent. One thread. The texts belong to whoever set them, the map's to here.
 */
#ifndef AKVEKM_TESTS_MEMORY_FILES_H
#define AKVEKM_TESTS_MEMORY_FILES_H

#include "platform/file.h"

#define MEMORY_CONFIG "/fuzz/akv-ekm.conf"
#define MEMORY_MAP    "/fuzz/map"
#define MEMORY_LOG    "/fuzz/log"

struct memory_file {
    const uint8_t *data;
    size_t len;
    bool absent;
    uint64_t inode; /* another one for each state of the file */
    enum plat_io fails; /* what reading and replacing end with; PLAT_IO_OK for success */
};
extern struct memory_file memory_config, memory_map;

/* The map begins as this, with an inode of its own. */
void memory_map_set(const void *data, size_t len);
void memory_map_free(void);

/* Called with each whole line that goes to the log file or to the system's log; NULL: none. */
extern void (*memory_log_line)(const char *line, size_t len);

#endif
