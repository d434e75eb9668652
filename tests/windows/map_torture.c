/* map_torture MAP KILLS [SEED]: writers of one map that is a file, three processes at once, each
 * killed at any moment: what was reported as done must be in the file ever after, and the file must
 * be whole whenever somebody looks. A program of Windows, so that it can be run there as well. */
#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap.h"

#define HOST    "contoso-vault.vault.azure.net"
#define WRITERS 3
#define LIVES   256
#define NUMBERS 1024

static void entry_of(unsigned writer, unsigned life, unsigned number, struct thumbprint *print,
                     struct key_id *key)
{
    *print = (struct thumbprint){.len = 20};
    print->bytes[0] = (uint8_t)writer;
    print->bytes[1] = (uint8_t)life;
    print->bytes[18] = (uint8_t)(number >> 8);
    print->bytes[19] = (uint8_t)number;
    memset(key, 0, sizeof *key);
    (void)text_format(key->name, sizeof key->name, "Key-%u-%u-%u", writer, life, number);
    (void)text_copy(key->version, sizeof key->version, "0123456789abcdef0123456789abcdef");
}

/* One byte when it is ready, and one for each entry that is durable. */
static int write_entries(const char *map, unsigned writer, unsigned life)
{
    static struct config config;
    HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
    DWORD written = 0;
    config_defaults(&config);
    config.log_level = LEVEL_NONE;
    if (!text_copy(config.keymap_file, sizeof config.keymap_file, map)) {
        return 1;
    }
    keymap_start(&config);
    (void)WriteFile(out, "r", 1, &written, NULL);
    for (unsigned number = 0; number < NUMBERS; number++) {
        struct call call;
        struct thumbprint print;
        struct key_id key;
        call_begin(&call, "torture", &config);
        entry_of(writer, life, number, &print, &key);
        if (keymap_put(&call, call.deadline_ms, HOST, &print, &key, NULL) != EKM_OK) {
            (void)fprintf(stderr, "writer %u: %s\n", writer, call.error.note);
            return 1;
        }
        (void)WriteFile(out, "a", 1, &written, NULL);
    }
    Sleep(60000);
    return 0;
}

struct writer {
    HANDLE process, pipe;
    unsigned life;
};

static unsigned acknowledged[WRITERS][LIVES];
static uint8_t seen[WRITERS][LIVES][NUMBERS];

static bool writer_start(struct writer *writer, const char *self, const char *map, unsigned number)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    STARTUPINFOA startup;
    PROCESS_INFORMATION made;
    HANDLE end = NULL;
    char line[1200];
    DWORD got = 0;
    if (!CreatePipe(&writer->pipe, &end, &inherited, 65536)) {
        return false;
    }
    (void)SetHandleInformation(writer->pipe, HANDLE_FLAG_INHERIT, 0);
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdOutput = end;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    bool good = text_format(line, sizeof line, "\"%s\" --write \"%s\" %u %u", self, map, number,
                            writer->life) &&
                CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made);
    CloseHandle(end);
    if (!good) {
        return false;
    }
    CloseHandle(made.hThread);
    writer->process = made.hProcess;
    char ready = 0;
    return ReadFile(writer->pipe, &ready, 1, &got, NULL) && got == 1 && ready == 'r';
}

/* Counts what it had reported. */
static bool writer_kill(struct writer *writer, unsigned number)
{
    char acks[4096];
    DWORD got = 0;
    bool ended = WaitForSingleObject(writer->process, 0) == WAIT_OBJECT_0;
    (void)TerminateProcess(writer->process, 9);
    (void)WaitForSingleObject(writer->process, INFINITE);
    while (ReadFile(writer->pipe, acks, sizeof acks, &got, NULL) && got > 0) {
        acknowledged[number][writer->life] += got;
    }
    CloseHandle(writer->process);
    CloseHandle(writer->pipe);
    return !ended;
}

/* Shared with those who write it at the same time, which fopen() does not. */
static FILE *map_open(const char *path)
{
    HANDLE file =
        CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, 0, NULL);
    int number = file != INVALID_HANDLE_VALUE ? _open_osfhandle((intptr_t)file, _O_RDONLY) : -1;
    if (number < 0) {
        (void)fprintf(stderr, "%s: error %lu\n", path, GetLastError());
    }
    return number >= 0 ? _fdopen(number, "rb") : NULL;
}

/* A strict reading: any line that is not one of ours, or not whole, fails. */
static bool map_read(const char *path)
{
    char line[1024], uri[600], key_uri[400];
    FILE *file = map_open(path);
    memset(seen, 0, sizeof seen);
    if (file == NULL) {
        return true; /* nothing was written yet, or all is lost */
    }
    bool good = true;
    while (good && fgets(line, sizeof line, file) != NULL) {
        struct thumbprint print;
        struct key_id key;
        char hex[2 * THUMBPRINT_MAX_BYTES + 1];
        unsigned writer = 0, life = 0, number = 0;
        const char *name = strstr(line, "/Key-");
        good = name != NULL && sscanf(name, "/Key-%u-%u-%u/", &writer, &life, &number) == 3 &&
               writer < WRITERS && life < LIVES && number < NUMBERS;
        if (good) {
            entry_of(writer, life, number, &print, &key);
            thumbprint_text(&print, hex);
            (void)text_format(key_uri, sizeof key_uri, "https://" HOST "/keys/%s/%s", key.name,
                              key.version);
            (void)text_format(uri, sizeof uri, HOST "\t%s\t%s\n", hex, key_uri);
            good = strcmp(uri, line) == 0 && seen[writer][life][number]++ == 0;
        }
        if (!good) {
            (void)fprintf(stderr, "a damaged line: %.300s\n", line);
        }
    }
    (void)fclose(file);
    return good;
}

static bool map_holds_all(void)
{
    for (unsigned writer = 0; writer < WRITERS; writer++) {
        for (unsigned life = 0; life < LIVES; life++) {
            for (unsigned number = 0; number < acknowledged[writer][life]; number++) {
                if (seen[writer][life][number] == 0) {
                    (void)fprintf(stderr, "entry %u of writer %u, life %u, is lost\n", number,
                                  writer, life);
                    return false;
                }
            }
        }
    }
    return true;
}

static int map_torture_run(const char *self, const char *map, unsigned kills, unsigned seed)
{
    struct writer writers[WRITERS];
    unsigned done = 0, total = 0;
    bool good = true;
    memset(writers, 0, sizeof writers);
    for (unsigned i = 0; good && i < WRITERS; i++) {
        good = writer_start(&writers[i], self, map, i);
    }
    while (good && done < kills) {
        seed = seed * 1664525u + 1013904223u;
        unsigned i = (seed >> 8) % WRITERS;
        Sleep((seed >> 16) % 40);
        good = writer_kill(&writers[i], i) && map_read(map) && map_holds_all();
        done++;
        writers[i].life++;
        good = good && writers[i].life < LIVES && writer_start(&writers[i], self, map, i);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        if (writers[i].process != NULL) {
            (void)writer_kill(&writers[i], i);
        }
        for (unsigned life = 0; life < LIVES; life++) {
            total += acknowledged[i][life];
        }
    }
    good = map_read(map) && map_holds_all() && good;
    (void)printf("%u kills, %u entries reported as done, %s\n", done, total,
                 good ? "all of them there" : "FAILED");
    return good && done == kills && total > kills ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--write") == 0) {
        return write_entries(argv[2], (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]));
    }
    if (argc < 3 || atoi(argv[2]) <= 0 || atoi(argv[2]) >= WRITERS * LIVES / 2) {
        (void)fputs("usage: map_torture MAP KILLS [SEED]\n", stderr);
        return 2;
    }
    return map_torture_run(argv[0], argv[1], (unsigned)atoi(argv[2]),
                           argc > 3 ? (unsigned)atoi(argv[3]) : 20260101);
}
