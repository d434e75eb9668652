/* Encrypt and Decrypt, each round beside the bare loop with the same payload. */
#include <stdio.h>

#include "bench.h"
#include "measure.h"
#include "report.h"

/* One side of a comparison, over its rounds. */
struct side {
    struct samples samples;
    double per_second[ROUNDS_MAX], cpu_us[ROUNDS_MAX], allocations[ROUNDS_MAX];
};

struct pair {
    const char *name;
    loop_operation operation;
    enum bare_operation bare;
};

static void run_side(loop_operation operation, void *context, unsigned threads, unsigned ms,
                     struct side *side, size_t round)
{
    struct loop_result result;
    loop_run(operation, context, threads, ms, &side->samples, &result);
    side->per_second[round] = result.per_second;
    side->cpu_us[round] = result.cpu_us;
    side->allocations[round] = result.allocations;
}

/* The requests of one of our operations, and the connections that it opened; these must stay 1 and
 * 0. */
static double requests_of_one(struct bench *bench, const struct pair *pair, unsigned threads)
{
    struct samples samples = {NULL, 0, 0};
    struct loop_result result;
    long before = sim_counter(&bench->sim, "requests");
    loop_run(pair->operation, &bench->ours, threads, 50, &samples, &result);
    samples_free(&samples);
    return (double)(sim_counter(&bench->sim, "requests") - before) / (double)result.operations;
}

static void report_side(const char *prefix, struct side *side, size_t rounds)
{
    char name[32];
    snprintf(name, sizeof name, "%sops/s", prefix);
    report_number(name, median(side->per_second, rounds), 0);
    snprintf(name, sizeof name, "%sp50_us", prefix);
    report_number(name, quantile(side->samples.us, side->samples.count, 0.5), 0);
    snprintf(name, sizeof name, "%sp99_us", prefix);
    report_number(name, quantile(side->samples.us, side->samples.count, 0.99), 0);
    snprintf(name, sizeof name, "%scpu_us", prefix);
    report_number(name, median(side->cpu_us, rounds), 1);
    snprintf(name, sizeof name, "%sallocs", prefix);
    report_number(name, median(side->allocations, rounds), 1);
}

/* Returns the ratio of throughputs, and both medians, for the scaling table. */
static void operations_compare(struct bench *bench, const struct pair *pair, unsigned threads,
                               unsigned latency_ms, double per_second[2])
{
    struct side ours = {0}, bare = {0};
    double ratio[ROUNDS_MAX], cpu_ratio[ROUNDS_MAX];
    size_t rounds = bench->quick ? 3 : 7;
    unsigned ms = bench->quick ? 100 : 400;
    set_latency_ms(bench, latency_ms);
    bare_choose(&bench->bare, pair->bare);
    struct loop_result warm;
    struct samples unused = {NULL, 0, 0};
    loop_run(bare_perform, &bench->bare, threads, 50, &unused, &warm);
    samples_free(&unused);
    double requests = requests_of_one(bench, pair, threads);
    for (size_t round = 0; round < rounds; round++) {
        /* The order changes from round to round. */
        for (size_t turn = 0; turn < 2; turn++) {
            if ((turn + round) % 2 == 0) {
                run_side(pair->operation, &bench->ours, threads, ms, &ours, round);
            } else {
                run_side(bare_perform, &bench->bare, threads, ms, &bare, round);
            }
        }
        ratio[round] = ours.per_second[round] / bare.per_second[round];
        cpu_ratio[round] = ours.cpu_us[round] / bare.cpu_us[round];
    }
    report_text("operation", pair->name);
    report_number("threads", threads, 0);
    report_number("wait_ms", latency_ms, 0);
    report_number("requests", requests, 2);
    report_side("", &ours, rounds);
    report_side("bare_", &bare, rounds);
    report_number("ratio", median(ratio, rounds), 3);
    report_number("ratio_spread_%", spread_percent(ratio, rounds), 1);
    report_number("cpu_ratio", median(cpu_ratio, rounds), 2);
    report_row();
    per_second[0] = median(ours.per_second, rounds);
    per_second[1] = median(bare.per_second, rounds);
    samples_free(&ours.samples);
    samples_free(&bare.samples);
}

void bench_operations(struct bench *bench)
{
    static const struct pair pairs[] = {{"Decrypt", ours_decrypt, BARE_UNWRAP},
                                        {"Encrypt", ours_encrypt, BARE_WRAP}};
    static const unsigned threads[] = {1, 8, 64}, latencies_ms[] = {0, 5, 20};
    double per_second[2][3][3][2];
    report_section("operations",
                   "ours and the bare loop in turns; the vault answers repeated values "
                   "from memory (vaultsim --memoise); medians of the rounds");
    for (size_t p = 0; p < 2; p++) {
        for (size_t l = 0; l < 3; l++) {
            for (size_t t = 0; t < 3; t++) {
                operations_compare(bench, &pairs[p], threads[t], latencies_ms[l],
                                   per_second[p][l][t]);
            }
        }
    }
    set_latency_ms(bench, 0);
    report_section("scaling", "throughput at 64 threads over that at 1");
    for (size_t p = 0; p < 2; p++) {
        for (size_t l = 0; l < 3; l++) {
            double ours = per_second[p][l][2][0] / per_second[p][l][0][0];
            double bare = per_second[p][l][2][1] / per_second[p][l][0][1];
            report_text("operation", pairs[p].name);
            report_number("wait_ms", latencies_ms[l], 0);
            report_number("gain", ours, 2);
            report_number("bare_gain", bare, 2);
            report_number("ratio", ours / bare, 3);
            report_row();
        }
    }
}
