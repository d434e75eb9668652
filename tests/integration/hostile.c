#include "hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define PATTERN     0xEE
#define CODES_END   10000
#define OUTPUT_MOST 600

void *hostile_guarded(const void *bytes, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (len + page - 1) / page * page + page;
    uint8_t *base = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(base != MAP_FAILED);
    assert_int_equal(mprotect(base + whole - page, page, PROT_NONE), 0);
    uint8_t *at = base + whole - page - len;
    if (len > 0) {
        memcpy(at, bytes, len);
    }
    return at;
}

/* Rows begin with "| CODE |". */
static void read_codes(bool documented[CODES_END])
{
    char line[2048];
    FILE *file = fopen(AKVEKM_SOURCE_DIR "/docs/errors.md", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char *end = line;
        unsigned long code = strncmp(line, "| ", 2) == 0 ? strtoul(line + 2, &end, 10) : CODES_END;
        if (end > line + 2 && strncmp(end, " |", 2) == 0 && code < CODES_END) {
            documented[code] = true;
        }
    }
    fclose(file);
    assert_true(documented[0] && documented[5007]);
}

bool hostile_is_documented(SqlCpError code)
{
    static bool documented[CODES_END], is_read;
    if (!is_read) {
        read_codes(documented);
        is_read = true;
    }
    return code >= 0 && code < CODES_END && documented[code];
}

void hostile_out_make(struct hostile_out *out, const struct hostile_data *data)
{
    /* Room that is promised must be there; more than this is never used. */
    out->room = data->cb > data->room && data->room < OUTPUT_MOST ? OUTPUT_MOST : data->room;
    out->buffer = NULL;
    if (data->bytes != NULL) {
        out->buffer = malloc(out->room + 1);
        assert_non_null(out->buffer);
        memset(out->buffer, PATTERN, out->room);
    }
    out->data = out->before = (SqlCpData){data->cb, out->buffer};
}

bool hostile_out_is_untouched(const struct hostile_out *out, bool size_told)
{
    bool same = out->data.pb == out->before.pb && (size_told || out->data.cb == out->before.cb);
    for (size_t i = 0; out->buffer != NULL && i < out->room; i++) {
        same = same && out->buffer[i] == PATTERN;
    }
    return same;
}

void hostile_out_free(struct hostile_out *out)
{
    free(out->buffer);
    out->buffer = NULL;
}
