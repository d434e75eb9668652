#include "torture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "map_reader.h"

/* A record of the pipe; shorter than PIPE_BUF, so it is there whole or not at all. */
struct record {
    enum { READY, BEGIN, DONE } kind;
    struct torture_ack ack;
};

struct writer {
    pid_t pid;
    int pipe_handle;
    unsigned done;
    bool within; /* a call, for `now` */
    struct torture_ack now;
};

struct run {
    const struct torture *torture;
    struct torture_result *result;
    struct writer writers[TORTURE_WRITERS_MAX];
    struct torture_ack *acks; /* of this round */
    size_t ack_count, ack_cap;
    unsigned round;
    uint64_t random;
};

static void send_record(int pipe_handle, const struct record *record)
{
    if (write(pipe_handle, record, sizeof *record) != (ssize_t)sizeof *record) {
        _exit(4);
    }
}

void torture_ready(int pipe_handle)
{
    const struct record record = {.kind = READY};
    send_record(pipe_handle, &record);
}

void torture_begin(int pipe_handle, const struct torture_ack *ack)
{
    const struct record record = {BEGIN, *ack};
    send_record(pipe_handle, &record);
}

void torture_acknowledge(int pipe_handle, const struct torture_ack *ack)
{
    const struct record record = {DONE, *ack};
    send_record(pipe_handle, &record);
}

unsigned torture_kills(int argc, char **argv, unsigned otherwise)
{
    unsigned long kills = argc > 1 ? strtoul(argv[1], NULL, 10) : otherwise;
    return kills > 0 && kills < 1000000 ? (unsigned)kills : otherwise;
}

static unsigned torture_draw(struct run *run, unsigned below)
{
    run->random = run->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(run->random >> 33) % below;
}

static void torture_start(struct run *run, unsigned number)
{
    struct writer *writer = &run->writers[number];
    int ends[2];
    fflush(NULL);
    assert_int_equal(pipe(ends), 0);
    writer->pid = fork();
    assert_true(writer->pid >= 0);
    if (writer->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        run->torture->write(run->torture->context, run->round, number, writer->done, ends[1]);
        _exit(3);
    }
    close(ends[1]);
    writer->pipe_handle = ends[0];
    writer->within = false;
}

/* False at the end of the pipe: the writer is dead. */
static bool torture_hear(struct run *run, struct writer *writer, bool *is_ready)
{
    struct record record;
    ssize_t got = read(writer->pipe_handle, &record, sizeof record);
    if (got == 0) {
        return false;
    }
    assert_int_equal(got, sizeof record);
    *is_ready = record.kind == READY;
    writer->within = record.kind == BEGIN;
    writer->now = record.ack;
    if (record.kind != DONE) {
        return true;
    }
    if (run->ack_count == run->ack_cap) {
        run->ack_cap = run->ack_cap != 0 ? 2 * run->ack_cap : 256;
        run->acks = realloc(run->acks, run->ack_cap * sizeof *run->acks);
        assert_non_null(run->acks);
    }
    run->acks[run->ack_count++] = record.ack;
    writer->done++;
    run->result->acknowledged++;
    return true;
}

/* The independent look: after every kill, while the others go on. */
static void torture_verify(struct run *run, const struct writer *killed)
{
    struct map_lines map;
    if (!map_lines_read(run->torture->map_path, &map)) {
        fail_msg("the map is not whole after %u kills", run->result->kills);
    }
    for (size_t i = 0; i < run->ack_count; i++) {
        const struct torture_ack *ack = &run->acks[i];
        if (!map_lines_hold(&map, ack->thumbprint, ack->uri)) {
            fail_msg("after %u kills %s -> %s is lost", run->result->kills, ack->thumbprint,
                     ack->uri);
        }
    }
    run->result->within += killed->within;
    run->result->unheard +=
        killed->within && map_lines_hold(&map, killed->now.thumbprint, killed->now.uri);
    map_lines_free(&map);
}

static void torture_end(struct run *run, unsigned number)
{
    struct writer *writer = &run->writers[number];
    int status = 0;
    bool is_ready;
    char aside[512];
    kill(writer->pid, SIGKILL);
    assert_int_equal(waitpid(writer->pid, &status, 0), writer->pid);
    if (!WIFSIGNALED(status)) {
        fail_msg("writer %u gave up with exit code %d", number, WEXITSTATUS(status));
    }
    snprintf(aside, sizeof aside, "%s.tmp", run->torture->map_path);
    run->result->aside += access(aside, F_OK) == 0;
    while (torture_hear(run, writer, &is_ready)) {
    }
    close(writer->pipe_handle);
    run->result->kills++;
    torture_verify(run, writer);
}

static void end_one(struct run *run)
{
    unsigned number = torture_draw(run, run->torture->writers);
    struct writer *writer = &run->writers[number];
    bool is_ready = false;
    while (!is_ready) {
        if (!torture_hear(run, writer, &is_ready)) {
            break; /* told below */
        }
    }
    unsigned life_us = torture_draw(run, run->torture->life_us(run->torture->context, number)) + 1;
    const struct timespec life = {life_us / 1000000, (long)(life_us % 1000000) * 1000};
    nanosleep(&life, NULL);
    torture_end(run, number);
    torture_start(run, number);
}

static void run_round(struct run *run, unsigned kills)
{
    unlink(run->torture->map_path);
    run->ack_count = 0;
    for (unsigned i = 0; i < run->torture->writers; i++) {
        run->writers[i].done = 0;
        torture_start(run, i);
    }
    for (unsigned i = run->torture->writers; i < kills; i++) {
        end_one(run);
    }
    for (unsigned i = 0; i < run->torture->writers; i++) {
        torture_end(run, i);
    }
    run->round++;
}

void torture_run(const struct torture *torture, struct torture_result *result)
{
    struct run run = {.torture = torture, .result = result, .random = torture->seed};
    *result = (struct torture_result){0, 0, 0, 0, 0};
    while (result->kills < torture->kills) {
        unsigned left = torture->kills - result->kills;
        unsigned kills = left < torture->kills_a_round ? left : torture->kills_a_round;
        run_round(&run, kills > torture->writers ? kills : torture->writers);
    }
    free(run.acks);
    assert_true(result->acknowledged > 0);
    print_message(
        "%u kills of %u writers: %u entries acknowledged, all of them in a whole file after "
        "every kill\n%u kills in the midst of a call, %u of them with the entry in place, %u "
        "with a file left aside\n",
        result->kills, torture->writers, result->acknowledged, result->within, result->unheard,
        result->aside);
}
