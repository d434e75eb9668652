/* Responses that are late, never come, or come over connections that died silently: the time they
 * cost, compared with another build of the library (--base). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"
#include "relay.h"
#include "report.h"

#define TURN_MS 20

struct trouble {
    const char *name, *fault;          /* the fault: NULL for none */
    const char *mode, *numbers, *word; /* of benchclient, and the name in its output */
    unsigned rounds;
    bool is_long; /* and more than a library can do that gives up each try after 10 s */
};

#define STORM    "restart", "300 64"
#define UNWRAP   "{\"path\":\"unwrapkey\",\"times\":0,"
#define LATE(ms) "\"action\":\"delay\",\"delay_ms\":" ms "}"

static const struct trouble troubles[] = {
    {"storm, healthy", NULL, STORM, "ms", 5, false},
    {"storm, 2 % of the unwraps 3 s late", UNWRAP "\"percent\":2," LATE("3000"), STORM, "ms", 5,
     false},
    {"storm, 1 % of the unwraps hang", UNWRAP "\"percent\":1,\"action\":\"hang\"}", STORM, "ms", 5,
     false},
    {"64 connections dead, longest call", NULL, "die", "1 64", "ms", 3, false},
    {"Decrypt, 8 threads, 1 % late by 1 s, p99.9", UNWRAP "\"percent\":1," LATE("1000"), "tail",
     "10 8", "p999", 1, false},
    {"storm, every unwrap 12 s late", UNWRAP LATE("12000"), STORM, "ms", 1, true},
};

static void on_signal(int number)
{
    (void)number;
    relay_silence();
}

/* Runs a fresh process with this library; NULL: our own. */
static double measure_once(const struct bench *bench, const struct trouble *trouble,
                           const char *library)
{
    char command[1024];
    bool other = library != NULL;
    snprintf(command, sizeof command, "%s%s%s'" AKVEKM_BUILD_DIR "/benchclient' %s '%s' %s %ld",
             other ? "BENCH_LIBRARY='" : "", other ? library : "", other ? "' " : "", trouble->mode,
             bench->sim.folder, trouble->numbers, (long)getpid());
    if (trouble->fault != NULL) {
        sim_ctl(&bench->sim, "POST", "/faults", trouble->fault);
    }
    sim_ctl(&bench->sim, "DELETE", "/counters", NULL);
    double value = ask_process(command, trouble->word);
    sim_ctl(&bench->sim, "DELETE", "/faults", NULL);
    return value;
}

static void report_trouble(const struct bench *bench, const struct trouble *trouble)
{
    double ours[ROUNDS_MAX], base[ROUNDS_MAX];
    long requests[2] = {0, 0};
    const char *library = trouble->is_long ? NULL : bench->base;
    for (unsigned i = 0; i < trouble->rounds; i++) {
        ours[i] = measure_once(bench, trouble, NULL);
        requests[0] += sim_counter(&bench->sim, "requests");
        if (library != NULL) {
            base[i] = measure_once(bench, trouble, library);
            requests[1] += sim_counter(&bench->sim, "requests");
        }
    }
    report_text("trouble", trouble->name);
    report_number("ms", median(ours, trouble->rounds), 0);
    report_number("longest_ms", quantile(ours, trouble->rounds, 1), 0);
    report_number("requests", (double)requests[0] / trouble->rounds, 0);
    if (library != NULL) {
        report_number("base_ms", median(base, trouble->rounds), 0);
        report_number("base_requests", (double)requests[1] / trouble->rounds, 0);
        report_number("ratio", median(ours, trouble->rounds) / median(base, trouble->rounds), 3);
    }
    report_row();
}

void bench_tail(struct bench *bench)
{
    enter_relay(bench);
    relay_set_latency_ms(TURN_MS);
    (void)signal(SIGUSR1, on_signal);
    report_section("tail", "300 databases, 64 sessions, 20 ms a turn; medians of fresh processes, "
                           "and the longest");
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        if (!bench->quick || !troubles[i].is_long) {
            report_trouble(bench, &troubles[i]);
        }
    }
    (void)signal(SIGUSR1, SIG_DFL);
    leave_relay(bench);
}
