/* Calls that need no request, or one GET; and Encrypt without the vault. */
#include <stdio.h>

#include "bench.h"
#include "measure.h"
#include "report.h"

struct quick_call {
    const char *name;
    loop_operation operation;
};

/* The number of calls in a row, so that the cost of the clock does not matter. */
static void measure_call(struct ours *ours, const struct quick_call *call, unsigned times,
                         double *ns, double *allocations)
{
    for (unsigned i = 0; i < times / 10 + 1; i++) {
        call->operation(ours, 0);
    }
    uint64_t allocated = allocation_count(), begun_ns = clock_ns();
    for (unsigned i = 0; i < times; i++) {
        call->operation(ours, 0);
    }
    *ns = (double)(clock_ns() - begun_ns) / times;
    *allocations = (double)(allocation_count() - allocated) / times;
}

static void without_request(struct bench *bench)
{
    static const struct quick_call calls[] = {
        {"OpenSession+CloseSession", ours_open_and_close},
        {"GetProviderInfo", ours_provider_info},
        {"GetAlgorithmInfo", ours_algorithm_info},
        {"ExportKey", ours_export},
    };
    size_t rounds = bench->quick ? 3 : 9;
    report_section("calls", "warm, one thread, no request; medians of the rounds");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        double ns[9], allocations = 0;
        long requests = sim_counter(&bench->sim, "requests");
        for (size_t round = 0; round < rounds; round++) {
            measure_call(&bench->ours, &calls[i], 5000, &ns[round], &allocations);
        }
        report_text("call                    ", calls[i].name);
        report_number("ns", median(ns, rounds), 0);
        report_number("spread_%", spread_percent(ns, rounds), 0);
        report_number("allocs", allocations, 2);
        report_number("requests", (double)(sim_counter(&bench->sim, "requests") - requests), 0);
        report_row();
    }
}

static void with_a_get(struct bench *bench)
{
    size_t rounds = bench->quick ? 3 : 7;
    unsigned ms = bench->quick ? 60 : 250;
    double ours[7], bare[7], ratio[7];
    struct samples unused = {NULL, 0, 0};
    struct loop_result result;
    bare_choose(&bench->bare, BARE_GET_KEY);
    for (size_t round = 0; round < rounds; round++) {
        loop_run(ours_find_key, &bench->ours, 1, ms, &unused, &result);
        ours[round] = result.per_second;
        loop_run(bare_perform, &bench->bare, 1, ms, &unused, &result);
        bare[round] = result.per_second;
        ratio[round] = ours[round] / bare[round];
    }
    samples_free(&unused);
    report_section("get_key", "GetKeyInfoByName, one GET, one thread, no latency");
    report_number("ops/s", median(ours, rounds), 0);
    report_number("bare_ops/s", median(bare, rounds), 0);
    report_number("ratio", median(ratio, rounds), 3);
    report_row();
}

void bench_calls(struct bench *bench)
{
    without_request(bench);
    with_a_get(bench);
}

void bench_wrap_locally(struct bench *bench)
{
    struct samples unused = {NULL, 0, 0};
    struct loop_result vault, local;
    unsigned ms = bench->quick ? 200 : 1000;
    set_latency_ms(bench, 5);
    loop_run(ours_encrypt, &bench->ours, 1, ms, &unused, &vault);
    ours_close(&bench->ours);
    sim_configure(&bench->sim, "wrap_locally = yes");
    ours_open(&bench->ours, 1);
    ours_encrypt(&bench->ours, 0);
    long before = sim_counter(&bench->sim, "requests");
    loop_run(ours_encrypt, &bench->ours, 1, ms, &unused, &local);
    long requests = sim_counter(&bench->sim, "requests") - before;
    ours_close(&bench->ours);
    sim_configure(&bench->sim, "wrap_locally = no");
    ours_open(&bench->ours, THREADS_MAX);
    set_latency_ms(bench, 0);
    samples_free(&unused);
    report_section("wrap_locally", "Encrypt with and without the vault, 5 ms, one thread");
    report_number("vault_ops/s", vault.per_second, 0);
    report_number("local_ops/s", local.per_second, 0);
    report_number("times", local.per_second / vault.per_second, 1);
    report_number("local_requests", (double)requests, 0);
    report_number("local_cpu_us", local.cpu_us, 1);
    report_number("local_allocs", local.allocations, 1);
    report_row();
}
