/* A registry export of another connector, or lines of a map file. An accepted entry could be in the
 * map; a refused one is named by its line; each is reported once. */
#include "fuzz.h"

// aims: src/tool/reg_file.c
// with: ../../src/tool/reg_file.c

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/reg_file.h"

struct seen {
    size_t lines, last, good, bad;
};

static void reg_look(void *context, const struct reg_entry *entry)
{
    struct seen *seen = context;
    FUZZ_CHECK(entry->line > seen->last && entry->line <= seen->lines);
    seen->last = entry->line;
    if (entry->wrong != NULL) {
        FUZZ_CHECK(entry->wrong[0] != '\0');
        seen->bad++;
        return;
    }
    char uri[KEY_URI_MAX + 1], hex[2 * THUMBPRINT_MAX_BYTES + 1];
    struct key_id again;
    seen->good++;
    FUZZ_CHECK(entry->host[0] != '\0' && strpbrk(entry->host, " \t\r\n/\\:ABCXYZ") == NULL);
    FUZZ_CHECK(entry->thumbprint.len >= 1 && entry->thumbprint.len <= THUMBPRINT_MAX_BYTES);
    FUZZ_CHECK(entry->key.version[0] != '\0');
    thumbprint_text(&entry->thumbprint, hex);
    FUZZ_CHECK(key_uri_format(uri, sizeof uri, entry->host, &entry->key));
    FUZZ_CHECK(key_uri_parse(uri, entry->host, &again) && key_id_equal(&again, &entry->key));
}

static size_t lines_of(const char *text)
{
    size_t lines = 1;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

/* An accepted entry, written as a line of ours, is accepted again and is the same entry. */
static void look_again(void *context, const struct reg_entry *entry)
{
    char line[2048], uri[KEY_URI_MAX + 1], hex[2 * THUMBPRINT_MAX_BYTES + 1];
    struct seen seen = {.lines = 1};
    (void)context;
    if (entry->wrong != NULL) {
        return;
    }
    thumbprint_text(&entry->thumbprint, hex);
    FUZZ_CHECK(key_uri_format(uri, sizeof uri, entry->host, &entry->key));
    FUZZ_CHECK(strlen(entry->host) + strlen(hex) + strlen(uri) + 3 < sizeof line);
    size_t len = 0;
    const char *const parts[] = {entry->host, "\t", hex, "\t", uri};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        memcpy(line + len, parts[i], strlen(parts[i]));
        len += strlen(parts[i]);
    }
    line[len] = '\0';
    reg_file_visit(line, reg_look, &seen);
    FUZZ_CHECK(seen.good == 1 && seen.bad == 0);
}

/* The file, in UTF-8 or UTF-16, by its own reader. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    struct buf text = BUF_EMPTY(REG_FILE_MAX);
    if (path[0] == '\0') {
        (void)memcpy(path, "/tmp/akvekm-fuzz-reg-XXXXXX", sizeof "/tmp/akvekm-fuzz-reg-XXXXXX");
        int made = mkstemp(path);
        FUZZ_CHECK(made >= 0 && close(made) == 0);
    }
    FILE *file = fopen(path, "wb");
    FUZZ_CHECK(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0);
    enum ekm_rc rc = reg_file_read(path, &text);
    FUZZ_CHECK(rc == EKM_OK || rc == EKM_INVALID_ARGUMENT);
    if (rc == EKM_OK && text.len > 0) {
        struct seen seen = {.lines = lines_of(buf_text(&text))};
        char *copy = malloc(text.len + 1);
        FUZZ_CHECK(copy != NULL);
        memcpy(copy, text.data, text.len + 1);
        reg_file_visit(copy, reg_look, &seen);
        memcpy(copy, text.data, text.len + 1);
        reg_file_visit(copy, look_again, NULL);
        free(copy);
    }
    buf_free(&text);
    return 0;
}
