/* A log line of foreign text: one line, printable, every value quoted and what was said. */
#include "fuzz.h"

// aims: src/base/log.c
// with: memory_files.c

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/text.h"
#include "memory_files.h"

static char *texts[4];
static unsigned lines;

/* Reads ` key="value"` and holds it against what was said; returns what follows. */
static const char *check_pair(const char *at, const char *end, const char *key, const char *said)
{
    size_t key_len = strlen(key);
    FUZZ_CHECK((size_t)(end - at) > key_len + 3 && at[0] == ' ');
    FUZZ_CHECK(memcmp(at + 1, key, key_len) == 0 && memcmp(at + 1 + key_len, "=\"", 2) == 0);
    size_t written = 0;
    for (at += key_len + 3; at < end && *at != '"'; said++) {
        uint8_t byte = (uint8_t)*at;
        FUZZ_CHECK(*at >= ' ' && *at <= '~' && *said != '\0');
        if (*at == '\\') {
            FUZZ_CHECK(end - at >= 4 && at[1] == 'x' && hex_decode(at + 2, 1, &byte));
        }
        FUZZ_CHECK(byte == (uint8_t)*said);
        written += *at == '\\' ? 4 : 1;
        at += *at == '\\' ? 4 : 1;
    }
    FUZZ_CHECK(at < end && written <= 256 && (*said == '\0' || written > 252));
    return at + 1;
}

static void check_line(const char *line, size_t len)
{
    static const char *const keys[] = {"vault", "key", "note", "request"};
    const char *end = line + len, *at = strstr(line, " fuzz");
    FUZZ_CHECK(at != NULL && at < end);
    at += 5;
    for (size_t i = 0; i < 4; i++) {
        at = texts[i][0] != '\0' ? check_pair(at, end, keys[i], texts[i]) : at;
    }
    FUZZ_CHECK(at == end);
    lines++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    struct fuzz_input input = {data, size};
    struct log_line line;
    if (config.log_file[0] == '\0') {
        config_defaults(&config);
        (void)text_copy(config.log_file, sizeof config.log_file, MEMORY_LOG);
        config.log_level = LEVEL_DEBUG;
        memory_log_line = check_line;
    }
    lines = 0;
    log_start(&config);
    for (size_t i = 0; i < 4; i++) {
        texts[i] = fuzz_line(&input);
    }
    log_begin(&line, size % 2 == 0 ? LEVEL_ERROR : LEVEL_DEBUG, 1, "fuzz");
    log_pair(&line, "vault", texts[0]);
    log_pair(&line, "key", texts[1]);
    log_pair(&line, "note", texts[2]);
    log_pair(&line, "request", texts[3]);
    log_write(&line);
    FUZZ_CHECK(lines == (size % 2 == 0 ? 2 : 1)); /* errors go to the system's log, too */
    log_stop();
    for (size_t i = 0; i < 4; i++) {
        free(texts[i]);
    }
    return 0;
}
