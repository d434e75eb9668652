#include "process.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define REGIONS_MAX 1024

static struct region {
    const volatile uint8_t *start;
    size_t len;
    char name[64];
} regions[REGIONS_MAX];

void *process_load(const char *path)
{
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

void *process_symbol(void *library, const char *name)
{
    return dlsym(library, name);
}

bool process_unload(void *library)
{
    return dlclose(library) == 0;
}

unsigned long process_handles(void)
{
    unsigned long count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

long process_problem(void)
{
    return errno;
}

void process_wipe(void *memory, size_t len)
{
    explicit_bzero(memory, len);
}

/* Read whole before anything is visited: the list must not change under the search. */
static size_t read_regions(void)
{
    char line[512], name[256], rights[5];
    size_t count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && count < REGIONS_MAX && fgets(line, sizeof line, maps) != NULL) {
        unsigned long start = 0, end = 0;
        name[0] = '\0';
        int fields = sscanf(line, "%lx-%lx %4s %*s %*s %*s %255s", &start, &end, rights, name);
        /* The kernel's own pages are not the process's. */
        if (fields < 3 || rights[0] != 'r' || strncmp(name, "[v", 2) == 0) {
            continue;
        }
        const char *slash = strrchr(name, '/');
        regions[count].start = (const volatile uint8_t *)start; // NOLINT: an address
        regions[count].len = end - start;
        snprintf(regions[count].name, sizeof regions[count].name, "%.63s",
                 name[0] == '\0' ? "unnamed"
                 : slash != NULL ? slash + 1
                                 : name);
        count++;
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return count;
}

size_t process_visit(void (*visit)(const char *name, const volatile uint8_t *start, size_t len))
{
    size_t count = read_regions(), seen = 0;
    for (size_t i = 0; i < count; i++) {
        visit(regions[i].name, regions[i].start, regions[i].len);
        seen += regions[i].len;
    }
    return seen;
}
