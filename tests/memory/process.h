/*
 * The process as memory_scan looks at it: a library loaded by path, and all memory that may be
 * read.
 *
 * One half a system. One thread; nothing else may run while memory is visited.
 */
#ifndef AKVEKM_MEMORY_PROCESS_H
#define AKVEKM_MEMORY_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL on failure; `process_problem` has the error number of the system. */
void *process_load(const char *path);
void *process_symbol(void *library, const char *name);
bool process_unload(void *library);
long process_problem(void);
/* Handles or descriptors that are open. */
unsigned long process_handles(void);

/* Wipes so that no compiler leaves it out. */
void process_wipe(void *memory, size_t len);

/* Calls visit for heaps, stacks, images: whatever is mapped and readable. Gives the bytes seen. */
size_t process_visit(void (*visit)(const char *name, const volatile uint8_t *start, size_t len));

#endif
