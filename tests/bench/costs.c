/* The cost of one warm Decrypt in counts that do not depend on the load of the machine, and their
 * baseline. */
#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "measure.h"
#include "report.h"

#define TIMES  200
#define CLIENT "'" AKVEKM_BUILD_DIR "/benchclient' count"
#define BARE   "'" AKVEKM_BUILD_DIR "/bench' --bare count"

/* Only within bench_measured, and only in the client process. */
static double costs_instructions(const struct bench *bench, const char *program)
{
    char command[512];
    snprintf(
        command, sizeof command,
        "valgrind --tool=callgrind --toggle-collect=bench_measured --callgrind-out-file=/dev/null "
        "%s '%s' %d 2>&1 | sed -n 's/.*Collected *: */collected=/p'",
        program, bench->sim.folder, TIMES);
    return ask_process(command, "collected") / TIMES;
}

static double costs_allocations(const struct bench *bench, const char *program, int times)
{
    char command[512];
    snprintf(command, sizeof command, "%s '%s' %d", program, bench->sim.folder, times);
    return ask_process(command, "allocations");
}

void bench_instructions(struct bench *bench)
{
    if (system("command -v valgrind >/dev/null") != 0) {
        give_up("valgrind is missing");
    }
    report_section("instructions", "of one warm Decrypt in the client process, by callgrind");
    double ours = costs_instructions(bench, CLIENT), bare = costs_instructions(bench, BARE);
    report_text("operation", "Decrypt");
    report_number("ours", ours, 0);
    report_number("bare", bare, 0);
    report_number("ratio", ours / bare, 3);
    report_row();
}

static double processor_us(const struct bench *bench, const char *program)
{
    char command[512];
    snprintf(command, sizeof command, "%s '%s' %d", program, bench->sim.folder,
             bench->quick ? 1000 : 5000);
    return ask_process(command, "cpu_us");
}

/* The difference between the log levels is the cost of the line in the log. */
void bench_processor(struct bench *bench)
{
    static const char *const levels[] = {"info", "error"};
    double bare[ROUNDS_MAX], ours[2][ROUNDS_MAX], ratio[2][ROUNDS_MAX];
    size_t rounds = bench->quick ? 3 : ROUNDS_MAX;
    for (size_t round = 0; round < rounds; round++) {
        bare[round] = processor_us(bench, BARE);
        for (size_t i = 0; i < 2; i++) {
            char line[64];
            snprintf(line, sizeof line, "log_level = %s", levels[i]);
            sim_configure(&bench->sim, line);
            ours[i][round] = processor_us(bench, CLIENT);
            ratio[i][round] = ours[i][round] / bare[round];
        }
    }
    sim_configure(&bench->sim, "log_level = info");
    report_section("processor",
                   "of a warm Decrypt in a process of its own, one thread, no latency");
    for (size_t i = 0; i < 2; i++) {
        report_text("log_level", levels[i]);
        report_number("cpu_us", median(ours[i], rounds), 1);
        report_number("bare_cpu_us", median(bare, rounds), 1);
        report_number("ratio", median(ratio[i], rounds), 3);
        report_number("spread_%", spread_percent(ratio[i], rounds), 0);
        report_row();
    }
}

struct cost {
    const char *name;
    double value;
};

/* In the order of the baseline: the requests of a process to the vault, and the costs that a
 * Decrypt adds. */
static size_t costs_measure(const struct bench *bench, struct cost *costs)
{
    static const char *const asked[] = {"requests", "connections", "handshakes", "token_requests"};
    size_t count = 0;
    long few, many;
    sim_ctl(&bench->sim, "DELETE", "/counters", NULL);
    (void)costs_allocations(bench, CLIENT, 1);
    few = sim_counter(&bench->sim, asked[0]);
    sim_ctl(&bench->sim, "DELETE", "/counters", NULL);
    double ours = costs_allocations(bench, CLIENT, TIMES), bare = 0;
    many = sim_counter(&bench->sim, asked[0]);
    costs[count++] = (struct cost){"requests_of_a_decrypt", (double)(many - few) / (TIMES - 1)};
    for (size_t i = 1; i < sizeof asked / sizeof asked[0]; i++) {
        costs[count++] = (struct cost){asked[i], (double)sim_counter(&bench->sim, asked[i])};
    }
    bare = costs_allocations(bench, BARE, TIMES);
    costs[count++] = (struct cost){"allocations_over_bare", ours - bare};
    return count;
}

/* The line `name value margin_percent [libcurl]` of the baseline. */
static void read_baseline(const char *path, const char *name, double *value, double *margin)
{
    char line[256], word[64];
    bool found = false;
    FILE *in = fopen(path, "r");
    unsigned here = curl_version_info(CURLVERSION_NOW)->version_num; /* 0xMMmmpp */
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        unsigned since = 0;
        double line_value, line_margin;
        if (sscanf(line, "%63s %lf %lf %u", word, &line_value, &line_margin, &since) >= 3 &&
            strcmp(word, name) == 0 && (here >> 16) * 100 + (here >> 8 & 0xff) >= since) {
            *value = line_value;
            *margin = line_margin;
            found = true;
        }
    }
    if (!found) {
        give_up("%s has no %s", path, name);
    }
    fclose(in);
}

/* Wake-ups and partial reads add to a count, on either side, and never take from it. So the least
 * count of each side tells; a machine with other work needs some rounds until both had a quiet
 * one. */
static double least_instructions(const struct bench *bench, double enough)
{
    double ours = costs_instructions(bench, CLIENT), bare = costs_instructions(bench, BARE);
    for (int round = 1; round < ROUNDS_MAX && ours - bare > enough; round++) {
        double again = costs_instructions(bench, CLIENT);
        ours = again < ours ? again : ours;
        again = costs_instructions(bench, BARE);
        bare = again < bare ? again : bare;
    }
    printf("instructions: ours %.0f, bare %.0f\n", ours, bare);
    return ours - bare;
}

/* Beside other sessions of the same credential. */
static double open_allocations(struct bench *bench)
{
    ours_open_and_close(&bench->ours, 0);
    uint64_t begun = allocation_count();
    for (int i = 0; i < TIMES; i++) {
        ours_open_and_close(&bench->ours, 0);
    }
    return (double)(allocation_count() - begun) / TIMES;
}

int bench_check(struct bench *bench, const char *path)
{
    struct cost costs[8];
    int worse = 0;
    size_t count = costs_measure(bench, costs);
    costs[count++] = (struct cost){"allocations_of_an_open", open_allocations(bench)};
    double expected, margin;
    read_baseline(path, "instructions_over_bare", &expected, &margin);
    costs[count++] =
        (struct cost){"instructions_over_bare",
                      least_instructions(bench, expected + fabs(expected) * margin / 100)};
    for (size_t i = 0; i < count; i++) {
        read_baseline(path, costs[i].name, &expected, &margin);
        double room = fabs(expected) * margin / 100;
        bool higher = costs[i].value > expected + room;
        bool lower = costs[i].value < expected - room;
        printf("%-24s %10.2f  baseline %.2f%s\n", costs[i].name, costs[i].value, expected,
               higher  ? "  WORSE"
               : lower ? "  better: lower the baseline"
                       : "");
        worse += higher;
    }
    return worse;
}
