/* Open addressing with linear probing. A removal moves later entries up, so no deletion marks
 * accumulate. */
#include "tool/call_table.h"

#include <stddef.h>
#include <string.h>

static size_t call_table_home(uint64_t process, uint64_t id)
{
    uint64_t hash = (process * 0x9E3779B97F4A7C15u ^ id) * 0xD6E8FEB86659FD93u;
    return (size_t)(hash >> 32) & (CALL_TABLE_SLOTS - 1);
}

/* Its slot, or the free slot for it; there is always one. */
static struct call_entry *call_table_slot(struct call_table *table, uint64_t process, uint64_t id)
{
    size_t at = call_table_home(process, id);
    while (table->slots[at].used &&
           (table->slots[at].process != process || table->slots[at].id != id)) {
        at = (at + 1) & (CALL_TABLE_SLOTS - 1);
    }
    return &table->slots[at];
}

struct call_entry *call_table_find(struct call_table *table, uint64_t process, uint64_t id)
{
    struct call_entry *entry = call_table_slot(table, process, id);
    return entry->used ? entry : NULL;
}

struct call_entry *call_table_take(struct call_table *table, uint64_t process, uint64_t id)
{
    struct call_entry *entry = call_table_slot(table, process, id);
    if (!entry->used && table->used == CALL_TABLE_MAX) {
        table->lost = true;
        return NULL;
    }
    if (!entry->used) {
        *entry = (struct call_entry){.process = process, .id = id, .used = true};
        table->used++;
    }
    return entry;
}

void call_table_remove(struct call_table *table, struct call_entry *entry)
{
    if (entry == NULL) {
        return;
    }
    size_t hole = (size_t)(entry - table->slots);
    for (size_t at = hole;;) {
        at = (at + 1) & (CALL_TABLE_SLOTS - 1);
        struct call_entry *next = &table->slots[at];
        if (!next->used) {
            break;
        }
        /* It may move up unless its home lies between the hole and its place. */
        size_t home = call_table_home(next->process, next->id);
        size_t from_home = (at - home) & (CALL_TABLE_SLOTS - 1);
        size_t from_hole = (at - hole) & (CALL_TABLE_SLOTS - 1);
        if (from_home >= from_hole) {
            table->slots[hole] = *next;
            hole = at;
        }
    }
    memset(&table->slots[hole], 0, sizeof table->slots[hole]);
    table->used--;
}
