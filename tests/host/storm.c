#include "storm.h"

#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "engine_ask.h"
#include "memory.h"
#include "recovery.h"
#include "report.h"
#include "tables.h"

#define SECOND_NS UINT64_C(1000000000)

/* Handles every count-th database, so that each database belongs to one thread. */
struct writer {
    struct connection connection;
    struct platform_thread *thread;
    int first, count;
    uint64_t lasts_ns;
};

static const char recover[] = "recover:", write_rows[] = "write:";

static int seconds_of(const char *what, const char *kind)
{
    size_t len = strlen(kind);
    return strncmp(what, kind, len) == 0 ? atoi(what + len) : 0;
}

bool storm_is_valid(const char *what)
{
    return seconds_of(what, recover) > 0 || seconds_of(what, write_rows) > 0;
}

/* INSERT and CHECKPOINT: two statements of a connection that uses the database. */
static void write_once(struct connection *connection, struct open_database *database)
{
    struct failure failure = {0};
    struct rowset rows = {0};
    uint64_t start_ns = platform_clock_ns();
    rowset_add_columns(&rows, "id name");
    struct value *cells = rowset_add_row(&rows);
    cells[0] = value_number(connection->spid);
    cells[1] = value_text("written in a storm");
    connection->database_id = database->id;
    bool good = tables_insert(connection, "t", &rows, &failure);
    report_statement(start_ns, !good);
    if (!good)
        instance_log(connection->instance, "storm: Msg %d: %s", failure.number, failure.text);
    rowset_free(&rows);
    start_ns = platform_clock_ns();
    report_statement(start_ns, !engine_new_segment(connection->instance, database, &failure));
}

/* Measures its own time, because a busy machine may start this thread late. */
static void write_some(void *context)
{
    struct writer *writer = context;
    uint64_t until_ns = platform_clock_ns() + writer->lasts_ns;
    bool found = true;
    while (found && platform_clock_ns() < until_ns) {
        int place = 0;
        found = false;
        for (struct open_database *at = writer->connection.instance->databases; at; at = at->next) {
            if (place++ % writer->count != writer->first || at->state != ENGINE_ONLINE ||
                platform_clock_ns() >= until_ns)
                continue;
            write_once(&writer->connection, at);
            found = true;
        }
    }
}

static void write_all(struct instance *instance, uint64_t lasts_ns)
{
    int count = instance->options.sessions;
    struct writer *writers = memory_take((size_t)count * sizeof *writers);
    for (int i = 0; i < count; i++) {
        writers[i].first = i;
        writers[i].count = count;
        writers[i].lasts_ns = lasts_ns;
        connection_open(&writers[i].connection, instance, stderr);
    }
    for (int i = 0; i < count; i++)
        writers[i].thread = platform_thread_start(write_some, &writers[i]);
    for (int i = 0; i < count; i++) {
        if (writers[i].thread)
            platform_thread_join(writers[i].thread);
        connection_close(&writers[i].connection);
    }
    free(writers);
}

void storm_run(struct instance *instance, const char *what)
{
    uint64_t begin_ns = platform_clock_ns();
    int recover_s = seconds_of(what, recover), write_s = seconds_of(what, write_rows);
    int rounds = 0;
    if (write_s > 0)
        write_all(instance, (uint64_t)write_s * SECOND_NS);
    while (recover_s > 0 && platform_clock_ns() - begin_ns < (uint64_t)recover_s * SECOND_NS) {
        recovery_again(instance, instance->options.sessions);
        rounds++;
    }
    if (recover_s > 0)
        instance_log(instance, "storm: all databases recovered %d times.", rounds);
}
