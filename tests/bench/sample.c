#include "sample.h"

#include <stdio.h>
#include <string.h>

#include "measure.h"

const uint8_t sample_plain[SAMPLE_PLAIN_BYTES] = "0123456789abcdef0123456789abcde";

static FILE *open_file(const char *folder, const char *name, const char *mode)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, mode);
    if (file == NULL) {
        give_up("%s cannot be opened", path);
    }
    return file;
}

void sample_write(const struct sample *sample, const char *folder)
{
    FILE *out = open_file(folder, "bench-sample", "wb");
    if (fwrite(sample, sizeof *sample, 1, out) != 1 || fclose(out) != 0) {
        give_up("the sample cannot be written");
    }
}

void sample_read(struct sample *sample, const char *folder)
{
    FILE *in = open_file(folder, "bench-sample", "rb");
    if (fread(sample, sizeof *sample, 1, in) != 1) {
        give_up("the sample cannot be read");
    }
    fclose(in);
}

void sample_key_uri(const char *folder, char *out, size_t cap)
{
    char line[1024], uri[512] = "";
    FILE *in = open_file(folder, "keymap", "r");
    if (fgets(line, sizeof line, in) == NULL || sscanf(line, "%*s %*s %511s", uri) != 1 ||
        (size_t)snprintf(out, cap, "%s", uri) >= cap) {
        give_up("the map names no key");
    }
    fclose(in);
}
