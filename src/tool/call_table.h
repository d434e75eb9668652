/*
 * Data about something that a recording numbers within a process: a session or a thread.
 *
 * A table of fixed size, so that no recording needs more memory. Owns its entries; one thread.
 */
#ifndef AKVEKM_TOOL_CALL_TABLE_H
#define AKVEKM_TOOL_CALL_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define CALL_TABLE_SLOTS 16384 /* a power of two */
#define CALL_TABLE_MAX   (CALL_TABLE_SLOTS / 4 * 3)

struct call_entry {
    uint64_t process, id;
    unsigned facts, count; /* what they mean is the caller's */
    bool used;
};

struct call_table {
    unsigned used;
    bool lost; /* something had no room */
    struct call_entry slots[CALL_TABLE_SLOTS];
};

/* NULL: it is not there. */
struct call_entry *call_table_find(struct call_table *table, uint64_t process, uint64_t id);
/* Made, with all zero, if it is not there. NULL: the table is full. */
struct call_entry *call_table_take(struct call_table *table, uint64_t process, uint64_t id);
/* Other entries may move. NULL allowed. */
void call_table_remove(struct call_table *table, struct call_entry *entry);

#endif
