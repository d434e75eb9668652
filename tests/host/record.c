#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "platform.h"
#include "provider_library.h"
#include "tool/trace_report.h"

/* All lines of the configuration except those about the recording. */
static void copy_settings(const char *text, struct memory_text *out)
{
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        len += line[len] == '\n';
        if (strncmp(line, "trace_file", strlen("trace_file")) != 0)
            memory_append(out, line, len);
        line += len;
    }
    if (out->len > 0 && out->data[out->len - 1] != '\n')
        memory_append(out, "\n", 1);
}

/* The file may be missing, but its folder must exist. */
static char *absolute_path(const char *path)
{
    const char *name = path + strlen(path);
    while (name > path && name[-1] != '/' && name[-1] != '\\')
        name--;
    char *given = name > path ? memory_text_n(path, (size_t)(name - path)) : memory_text(".");
    char *folder = platform_path_absolute(given);
    char *whole = folder && *name ? memory_format("%s/%s", folder, name) : NULL;
    free(folder);
    free(given);
    return whole;
}

bool record_prepare(const struct options *options, const char *path)
{
    struct memory_text settings = {0};
    char *target = absolute_path(path);
    char *config = platform_environment("AKVEKM_CONFIG");
    char *text = config ? memory_read_file(config, NULL) : NULL;
    platform_folder_make(options->folder);
    char *folder = platform_path_absolute(options->folder);
    bool good = target && folder && (!config || text);
    if (good) {
        char *line = memory_format("trace_file = %s\n", target);
        char *own = memory_format("%s/record.conf", folder);
        copy_settings(text ? text : "", &settings);
        memory_append(&settings, line, strlen(line));
        good = memory_write_file(own, settings.data, settings.len);
        platform_environment_set("AKVEKM_CONFIG", own);
        free(own);
        free(line);
    }
    if (!good)
        fprintf(stderr, "ekmhost: %s cannot be recorded to\n", path);
    free(settings.data);
    free(text);
    free(config);
    free(target);
    free(folder);
    return good;
}

bool record_follow(struct options *options, const char *path)
{
    const char *why = "cannot be read: out of memory";
    struct trace_report *report = trace_report_new();
    FILE *file = platform_stream_open(path, "r");
    bool good = report && trace_report_read(report, file, &why);
    if (file)
        fclose(file);
    if (!good) {
        fprintf(stderr, "ekmhost: %s %s\n", path, why);
        free(report);
        return false;
    }
    const struct judges *judges = &report->judges;
    struct provider_habits habits = {
        .no_algorithms = assumption_contradicted("A4", judges),
        .offers_buffers = assumption_contradicted("A27", judges),
        .aborts = assumption_contradicted("A30", judges),
    };
    provider_library_behave(&habits);
    options->reload = options->reload || assumption_contradicted("A8", judges);
    for (const struct assumption *at = assumptions; at->number; at++) {
        bool played = strcmp(at->number, "A4") == 0 || strcmp(at->number, "A8") == 0 ||
                      strcmp(at->number, "A27") == 0 || strcmp(at->number, "A30") == 0;
        if (assumption_contradicted(at->number, judges))
            fprintf(stderr, "as: %s is contradicted%s\n", at->number,
                    played ? "" : ", which is not played");
    }
    free(report);
    return true;
}
