#include "recording.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* The word at *at, ended there; *at goes behind it. */
static char *next_word(char **at)
{
    char *word = *at;
    size_t len = strcspn(word, " ");
    *at = word + len + (word[len] != 0);
    word[len] = 0;
    return word;
}

const char *recording_field(const struct recording_call *call, const char *key)
{
    size_t len = strlen(key);
    for (const char *at = call->fields; *at; at += strlen(at) + 1) {
        if (strncmp(at, key, len) == 0 && at[len] == '=')
            return at + len + 1;
    }
    return NULL;
}

bool recording_offers(const struct recording_call *call, const char *key)
{
    const char *value = recording_field(call, key);
    return value && value[strspn(value, "0123456789")] == 'p';
}

bool recording_is(const struct recording_call *call, const char *function)
{
    return strcmp(call->function, function) == 0;
}

/* Blanks become zeros; the line needs room for one zero behind its end. */
static bool parse_call(char *line, struct recording_call *call)
{
    char *at = line;
    call->time = next_word(&at);
    char *place = next_word(&at);
    char *slash = strchr(place, '/');
    call->function = next_word(&at);
    if (strlen(call->time) != 24 || call->time[10] != 'T' || !slash || !*call->function ||
        strchr(call->function, '='))
        return false;
    *slash = 0;
    call->process = place;
    call->thread = slash + 1;
    call->fields = at;
    while (*at)
        next_word(&at);
    const char *result = recording_field(call, "rc");
    const char *took = recording_field(call, "us");
    const char *session = recording_field(call, "session");
    call->result = result ? strtol(result, NULL, 10) : -1;
    call->took_us = took ? strtol(took, NULL, 10) : 0;
    call->session = session ? session : "";
    return true;
}

/* The text with a second zero behind each line. */
static char *spread(const char *text)
{
    size_t len = strlen(text);
    char *out = memory_take(2 * len + 2);
    char *to = out;
    for (const char *from = text; *from; from++) {
        if (*from == '\r')
            continue;
        *to++ = *from == '\n' ? 0 : *from;
        if (*from == '\n')
            *to++ = 0;
    }
    to[0] = to[1] = 0;
    return out;
}

bool recording_read(struct recording *recording, const char *path)
{
    size_t len = 0;
    char *text = memory_read_file(path, &len);
    *recording = (struct recording){.title = ""};
    if (!text)
        return false;
    size_t lines = 1;
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    recording->text = spread(text);
    recording->calls = memory_take(lines * sizeof *recording->calls);
    char *line = recording->text;
    for (size_t i = 0; i < lines; i++) {
        char *next = line + strlen(line) + 2;
        if (*line == '#' && !*recording->title)
            recording->title = line + 1 + strspn(line + 1, " ");
        else if (*line != '#' && *line && parse_call(line, &recording->calls[recording->count]))
            recording->count++;
        else if (*line != '#' && *line)
            recording->strange++;
        if (i + 1 < lines)
            line = next;
    }
    free(text);
    return true;
}

void recording_free(struct recording *recording)
{
    free(recording->calls);
    free(recording->text);
}
