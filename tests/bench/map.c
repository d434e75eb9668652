/* The map at several sizes: the library's own code, linked in, on files of the build folder. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "bench.h"
#include "keymap/keymap.h"
#include "keymap/keymap_store.h"
#include "measure.h"
#include "report.h"

#define HOST "contoso-vault.vault.azure.net"

struct place {
    char folder[256];
    struct config config;
    struct call call;
};

static void make_place(struct place *place)
{
    memset(place, 0, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "%s", AKVEKM_BUILD_DIR "/bench-map-XXXXXX");
    if (mkdtemp(place->folder) == NULL) {
        give_up("%s cannot be made", place->folder);
    }
    config_defaults(&place->config);
    snprintf(place->config.keymap_file, sizeof place->config.keymap_file, "%s/keymap",
             place->folder);
}

static void remove_place(const struct place *place)
{
    char command[320];
    snprintf(command, sizeof command, "rm -rf '%s'", place->folder);
    if (system(command) != 0) {
        give_up("%s stays", place->folder);
    }
}

static struct thumbprint number_thumbprint(unsigned number)
{
    struct thumbprint thumbprint = {.len = 20};
    uint64_t mixed = (number + 1) * 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < 20; i++) {
        thumbprint.bytes[i] = (uint8_t)(mixed >> (8 * (i % 8)));
        mixed += i == 7 ? number : 0;
    }
    return thumbprint;
}

static struct key_id number_key(unsigned number)
{
    struct key_id key = {"", ""};
    snprintf(key.name, sizeof key.name, "TdeKey%u", number);
    snprintf(key.version, sizeof key.version, "%032x", number);
    return key;
}

static void write_map(const struct place *place, unsigned entries)
{
    FILE *out = fopen(place->config.keymap_file, "w");
    for (unsigned i = 0; out != NULL && i < entries; i++) {
        char hex[2 * THUMBPRINT_MAX_BYTES + 1];
        struct thumbprint thumbprint = number_thumbprint(i);
        struct key_id key = number_key(i);
        thumbprint_text(&thumbprint, hex);
        fprintf(out, "%s\t%s\thttps://%s/keys/%s/%s\n", HOST, hex, HOST, key.name, key.version);
    }
    if (out == NULL || fclose(out) != 0) {
        give_up("the map cannot be written");
    }
    /* As a map is most of the time: a file that was just written would be read again each time. */
    const struct timespec times[2] = {{time(NULL) - 60, 0}, {time(NULL) - 60, 0}};
    if (utimensat(AT_FDCWD, place->config.keymap_file, times, 0) != 0) {
        give_up("the map cannot be made old");
    }
}

static double load_ms(const struct place *place)
{
    uint64_t begun_ns = clock_ns();
    keymap_start(&place->config);
    return (double)(clock_ns() - begun_ns) / 1e6;
}

static double lookup_ns(struct place *place, unsigned entries)
{
    const unsigned times = 20000;
    uint64_t begun_ns = clock_ns();
    for (unsigned i = 0; i < times; i++) {
        struct key_id found;
        struct thumbprint wanted = number_thumbprint(i * 7919 % entries);
        if (keymap_find(&place->call, HOST, &wanted, &found) != EKM_OK) {
            give_up("the map lost an entry");
        }
    }
    return (double)(clock_ns() - begun_ns) / times;
}

static double insert_ms(struct place *place, unsigned number)
{
    struct thumbprint thumbprint = number_thumbprint(number);
    struct key_id key = number_key(number);
    uint64_t begun_ns = clock_ns();
    if (keymap_put(&place->call, place->call.deadline_ms, HOST, &thumbprint, &key, NULL) !=
        EKM_OK) {
        give_up("the map takes no entry");
    }
    return (double)(clock_ns() - begun_ns) / 1e6;
}

/* The cost of durability itself: write aside, fsync, rename, fsync of the folder. */
static double plain_write_ms(const struct place *place)
{
    char aside[300], path[300];
    snprintf(aside, sizeof aside, "%s/plain.new", place->folder);
    snprintf(path, sizeof path, "%s/plain", place->folder);
    FILE *in = fopen(place->config.keymap_file, "r");
    static char bytes[8 * 1024 * 1024];
    size_t len = in != NULL ? fread(bytes, 1, sizeof bytes, in) : 0;
    if (in == NULL || len == sizeof bytes) {
        give_up("the map cannot be read");
    }
    fclose(in);
    uint64_t begun_ns = clock_ns();
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int folder = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fsync(fd) != 0 || close(fd) != 0 ||
        rename(aside, path) != 0 || fsync(folder) != 0 || close(folder) != 0) {
        give_up("the plain file cannot be written");
    }
    return (double)(clock_ns() - begun_ns) / 1e6;
}

static void measure_map(struct place *place, unsigned entries, size_t rounds)
{
    double load[ROUNDS_MAX], lookup[ROUNDS_MAX], insert[ROUNDS_MAX], plain[ROUNDS_MAX],
        ratio[ROUNDS_MAX];
    for (size_t round = 0; round < rounds; round++) {
        write_map(place, entries);
        load[round] = load_ms(place);
        call_begin(&place->call, "bench", &place->config);
        lookup[round] = lookup_ns(place, entries);
        plain[round] = plain_write_ms(place);
        insert[round] = insert_ms(place, entries + (unsigned)round);
        ratio[round] = insert[round] / plain[round];
        keymap_stop();
    }
    report_number("entries", entries, 0);
    report_number("load_ms", median(load, rounds), 2);
    report_number("lookup_ns", median(lookup, rounds), 0);
    report_number("insert_ms", median(insert, rounds), 2);
    report_number("plain_ms", median(plain, rounds), 2);
    report_number("ratio", median(ratio, rounds), 2);
    report_number("ratio_spread_%", spread_percent(ratio, rounds), 0);
    report_row();
}

void bench_map(struct bench *bench)
{
    static const unsigned sizes[] = {10, 1000, 10000};
    struct place place;
    make_place(&place);
    report_section(
        "map", "load, one lookup, one durable insert, beside writing a file of that size durably");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        measure_map(&place, sizes[i], bench->quick ? 3 : ROUNDS_MAX);
    }
    config_free(&place.config);
    remove_place(&place);
}
