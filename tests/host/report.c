#include "report.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "engine.h"

/* How often something happened, and the longest time that it took. */
struct tally {
    atomic_long count, failed;
    _Atomic uint64_t longest_ns;
};

static struct tally recoveries, statements;
static atomic_long in_memory;

static void tally_add(struct tally *tally, uint64_t start_ns, bool failed)
{
    uint64_t took_ns = platform_clock_ns() - start_ns, longest_ns = tally->longest_ns;
    atomic_fetch_add(&tally->count, 1);
    atomic_fetch_add(&tally->failed, failed);
    while (took_ns > longest_ns &&
           !atomic_compare_exchange_weak(&tally->longest_ns, &longest_ns, took_ns)) {
    }
}

void report_recovery(uint64_t start_ns, bool online)
{
    tally_add(&recoveries, start_ns, !online);
}

void report_statement(uint64_t start_ns, bool failed)
{
    tally_add(&statements, start_ns, failed);
}

void report_key_in_memory(void)
{
    atomic_fetch_add(&in_memory, 1);
}

static void print_tally(struct tally *tally, const char *what, FILE *out)
{
    fprintf(out, "report: %s %ld, failed %ld, longest %" PRIu64 " ms\n", what,
            atomic_load(&tally->count), atomic_load(&tally->failed),
            atomic_load(&tally->longest_ns) / 1000000);
}

void report_print(const struct instance *instance, FILE *out)
{
    int states[ENGINE_OFFLINE + 1] = {0};
    for (const struct open_database *at = instance->databases; at; at = at->next)
        states[at->state]++;
    for (int i = 0; i <= ENGINE_OFFLINE; i++)
        fprintf(out, "report: databases %s %d\n", engine_state_text((enum engine_state)i),
                states[i]);
    print_tally(&recoveries, "recoveries", out);
    print_tally(&statements, "statements", out);
    fprintf(out, "report: times with the key in memory %ld\n", atomic_load(&in_memory));
}
