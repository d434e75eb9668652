/* The costs of a fresh process: loading, the first Decrypt, memory; and a restart of many
 * databases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "measure.h"
#include "relay.h"
#include "report.h"

#define WAN_MS    20
#define WORDS_MAX 512
#define CLIENT    "'" AKVEKM_BUILD_DIR "/benchclient' "
#define BARE      "'" AKVEKM_BUILD_DIR "/bench' --bare "

double ask_process(const char *command, const char *name)
{
    char words[WORDS_MAX] = "", wanted[64];
    FILE *out = popen(command, "r");
    size_t len = out != NULL ? fread(words, 1, sizeof words - 1, out) : 0;
    if (out == NULL || pclose(out) != 0) {
        give_up("failed: %s", command);
    }
    words[len] = '\0';
    snprintf(wanted, sizeof wanted, "%s=", name);
    for (const char *at = words; (at = strstr(at, wanted)) != NULL; at++) {
        if (at == words || at[-1] == ' ' || at[-1] == '\n') {
            return strtod(at + strlen(wanted), NULL);
        }
    }
    give_up("%s told no %s", command, name);
}

static double ask_median(const char *command, const char *name, size_t rounds)
{
    double values[ROUNDS_MAX];
    for (size_t i = 0; i < rounds; i++) {
        values[i] = ask_process(command, name);
    }
    return median(values, rounds);
}

static void measure_load(const struct bench *bench)
{
    double libraries[ROUNDS_MAX], ours[ROUNDS_MAX], over[ROUNDS_MAX];
    size_t rounds = bench->quick ? 3 : 9;
    for (size_t i = 0; i < rounds; i++) {
        libraries[i] = ask_process(CLIENT "libraries", "ms");
        ours[i] = ask_process(CLIENT "load", "ms");
        over[i] = ours[i] - libraries[i];
    }
    double stripped = ask_process("f=$(mktemp) && strip -o \"$f\" '" AKVEKM_BUILD_DIR
                                  "/libakvekm.so' && echo size=$(stat -c %s \"$f\"); rm -f \"$f\"",
                                  "size");
    report_section("load",
                   "dlopen and Initialize over dlopen of libcurl, libssl and libcjson; size");
    report_number("libraries_ms", median(libraries, rounds), 2);
    report_number("ours_ms", median(ours, rounds), 2);
    report_number("over_ms", median(over, rounds), 2);
    report_number("spread_%", spread_percent(ours, rounds), 0);
    report_number("stripped_kib", stripped / 1024, 1);
    report_row();
}

static void measure_memory(struct bench *bench)
{
    char commands[4][512];
    double kib[4];
    size_t rounds = bench->quick ? 1 : 3;
    const char *folder = bench->sim.folder;
    snprintf(commands[0], sizeof commands[0], CLIENT "memory '%s' 1", folder);
    snprintf(commands[1], sizeof commands[1], CLIENT "memory '%s' 64", folder);
    snprintf(commands[2], sizeof commands[2], BARE "memory '%s' 1", folder);
    snprintf(commands[3], sizeof commands[3], BARE "memory '%s' 64", folder);
    set_latency_ms(bench, WAN_MS);
    for (size_t i = 0; i < 4; i++) {
        kib[i] = ask_median(commands[i], "kib", rounds);
    }
    set_latency_ms(bench, 0);
    double ours = (kib[1] - kib[0]) / 63, bare = (kib[3] - kib[2]) / 63;
    report_section("memory",
                   "resident KiB over the same process without the library, threads included");
    report_number("at_1", kib[0], 0);
    report_number("at_64", kib[1], 0);
    report_number("per_call", ours, 1);
    report_number("bare_per_call", bare, 1);
    report_number("over_curl", ours - bare, 1);
    report_row();
}

/* The time of the first Decrypt at one latency, and the number of round trips in the difference to
 * no latency. */
static double measure_cold(const struct bench *bench, unsigned latency_ms, size_t rounds)
{
    char command[512];
    snprintf(command, sizeof command, CLIENT "cold '%s'", bench->sim.folder);
    relay_set_latency_ms(latency_ms);
    return ask_median(command, "ms", rounds);
}

static double report_cold(const struct bench *bench)
{
    size_t rounds = bench->quick ? 3 : 7;
    char command[512];
    double near_ms = measure_cold(bench, 0, rounds), far_ms = measure_cold(bench, WAN_MS, rounds);
    static const char *const names[] = {"requests", "connections", "handshakes", "token_requests"};
    long counts[4];
    sim_ctl(&bench->sim, "DELETE", "/counters", NULL);
    snprintf(command, sizeof command, CLIENT "cold '%s'", bench->sim.folder);
    (void)ask_process(command, "ms");
    for (size_t i = 0; i < 4; i++) {
        counts[i] = sim_counter(&bench->sim, names[i]);
    }
    report_section("cold_start",
                   "fresh process to first Decrypt; turns: TCP 1, TLS 1, a request 1, those "
                   "one after the other, from the time they add");
    for (size_t i = 0; i < 4; i++) {
        report_number(names[i], (double)counts[i], 0);
    }
    report_number("ms_at_0", near_ms, 1);
    report_number("ms_at_20", far_ms, 1);
    report_number("turns", (far_ms - near_ms) / WAN_MS, 2);
    report_row();
    return far_ms;
}

static void report_restart(const struct bench *bench, long databases, unsigned sessions,
                           double cold_ms)
{
    char command[512];
    snprintf(command, sizeof command, CLIENT "restart '%s' %ld %u", bench->sim.folder, databases,
             sessions);
    double ms = ask_process(command, "ms");
    snprintf(command, sizeof command, BARE "restart '%s' %ld %u", bench->sim.folder, databases,
             sessions);
    double bare_ms = ask_process(command, "ms");
    double ideal_ms = cold_ms + WAN_MS * (double)databases / sessions;
    report_number("databases", (double)databases, 0);
    report_number("sessions", sessions, 0);
    report_number("ms", ms, 0);
    report_number("ms_each", ms / (double)databases, 2);
    report_number("ideal_ms", ideal_ms, 0);
    report_number("ratio", ms / ideal_ms, 3);
    report_number("bare_ms", bare_ms, 0);
    report_number("bare_ratio", ms / bare_ms, 3);
    report_row();
}

void enter_relay(struct bench *bench)
{
    static int port;
    char line[128];
    const char *target = strrchr(bench->bare.connect_to, ':');
    if (port == 0) {
        port = relay_start(atoi(target + 1));
    }
    snprintf(line, sizeof line, "connect_to = ::127.0.0.1:%d", port);
    sim_configure(&bench->sim, line);
}

void leave_relay(struct bench *bench)
{
    char line[160];
    snprintf(line, sizeof line, "connect_to = %s", bench->bare.connect_to);
    sim_configure(&bench->sim, line);
}

void bench_start(struct bench *bench)
{
    measure_load(bench);
    measure_memory(bench);
    enter_relay(bench);
    (void)report_cold(bench);
    leave_relay(bench);
}

void bench_restart(struct bench *bench)
{
    static const long databases[] = {1, 100, 1000, 5000};
    static const unsigned sessions[] = {64, 8, 1};
    enter_relay(bench);
    double cold_ms = measure_cold(bench, WAN_MS, bench->quick ? 3 : 7);
    report_section("restart",
                   "a fresh process opens databases at 20 ms a turn; ideal: the cold start and "
                   "then one turn for each Decrypt of a session; bare: one token, then "
                   "as many connections and unwraps");
    for (size_t s = 0; s < 3; s++) {
        for (size_t d = 0; d < 4; d++) {
            double expected_s = 0.02 * (double)databases[d] / sessions[s];
            if (!bench->quick || expected_s < 2) {
                report_restart(bench, databases[d], sessions[s], cold_ms);
            }
        }
    }
    leave_relay(bench);
}
