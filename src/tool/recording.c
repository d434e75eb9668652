#include "tool/recording.h"

#include <string.h>

#define TITLE    "akv-ekm recording "
#define DIGITS   "0123456789"
#define TIME_LEN (sizeof RECORDING_TIME - 1)

#define RECORDING_NAME(name) #name,
static const char *const function_names[] = {RECORDING_FUNCTIONS(RECORDING_NAME)};

const char *recording_function_name(enum recording_function function)
{
    return function_names[function];
}

/* False: too large, or no digit. */
static bool recording_read_digits(const char **at, uint64_t *out)
{
    const char *digit = *at;
    *out = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        unsigned value = (unsigned)(*digit - '0');
        if (*out > (UINT64_MAX - value) / 10) {
            return false;
        }
        *out = *out * 10 + value;
    }
    bool some = digit != *at;
    *at = digit;
    return some;
}

const char *recording_field(const struct recording_call *call, const char *key, size_t *len)
{
    size_t key_len = strlen(key);
    for (const char *at = call->fields; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word > key_len && at[key_len] == '=' && memcmp(at, key, key_len) == 0) {
            *len = word - key_len - 1;
            return at + key_len + 1;
        }
        at += word;
        at += *at == ' ';
    }
    return NULL;
}

bool recording_number(const struct recording_call *call, const char *key, uint64_t *out)
{
    size_t len = 0;
    const char *value = recording_field(call, key, &len);
    return value != NULL && recording_read_digits(&value, out);
}

bool recording_offers(const struct recording_call *call, const char *key)
{
    size_t len = 0;
    const char *value = recording_field(call, key, &len);
    size_t digits = value != NULL ? strspn(value, DIGITS) : len;
    return digits < len && value[digits] == 'p';
}

/* Digits where the pattern has zeros. */
static bool recording_read_time(const char **at, char *out)
{
    for (size_t i = 0; i < TIME_LEN; i++) {
        char c = (*at)[i];
        bool digit = c >= '0' && c <= '9';
        if (RECORDING_TIME[i] == '0' ? !digit : c != RECORDING_TIME[i]) {
            return false;
        }
        out[i] = c;
    }
    out[TIME_LEN] = '\0';
    *at += TIME_LEN;
    return true;
}

static bool recording_skip(const char **at, char expected)
{
    bool there = **at == expected;
    *at += there;
    return there;
}

static bool recording_read_function(const char **at, enum recording_function *out)
{
    size_t len = strcspn(*at, " ");
    for (size_t i = 0; i < RECORDING_FUNCTION_COUNT; i++) {
        if (strlen(function_names[i]) == len && memcmp(*at, function_names[i], len) == 0) {
            *out = (enum recording_function)i;
            *at += len;
            return true;
        }
    }
    return false;
}

/* Result and duration end a line: one that lacks them was cut. */
static bool recording_read_result(struct recording_call *call)
{
    uint64_t result = 0;
    call->result = -1;
    call->took_us = 0;
    if (call->function == RECORDING_FreeProvider && call->fields[0] == '\0') {
        return true;
    }
    if (!recording_number(call, "rc", &result) || result > INT32_MAX ||
        !recording_number(call, "us", &call->took_us)) {
        return false;
    }
    call->result = (long)result;
    return true;
}

static bool recording_read_call(const char *line, struct recording_call *call)
{
    const char *at = line;
    memset(call, 0, sizeof *call);
    if (!recording_read_time(&at, call->time) || !recording_skip(&at, ' ') ||
        !recording_read_digits(&at, &call->process) || !recording_skip(&at, '/') ||
        !recording_read_digits(&at, &call->thread) || !recording_skip(&at, ' ') ||
        !recording_read_function(&at, &call->function)) {
        return false;
    }
    (void)recording_skip(&at, ' ');
    call->fields = at;
    call->has_session = recording_number(call, "session", &call->session);
    return recording_read_result(call);
}

/* Only printable ASCII, because the report shows it. */
static void recording_keep_title(struct recording *recording, const char *text)
{
    size_t len = 0;
    text += strspn(text, " ");
    if (strncmp(text, TITLE, sizeof TITLE - 1) != 0 || recording->title[0] != '\0') {
        return;
    }
    for (; *text != '\0' && len + 1 < sizeof recording->title; text++) {
        recording->title[len++] = (char)(*text >= ' ' && *text <= '~' ? *text : '?');
    }
}

static void recording_end_line(struct recording *recording)
{
    struct recording_call call;
    size_t len = recording->len;
    len -= len > 0 && recording->line[len - 1] == '\r';
    recording->line[len] = '\0';
    bool whole = !recording->overlong && strlen(recording->line) == len;
    if (whole && recording->line[0] == '#') {
        recording_keep_title(recording, recording->line + 1);
    } else if (whole && recording_read_call(recording->line, &call)) {
        recording->calls++;
        recording->visit(recording->context, &call);
    } else if (!whole || len > 0) {
        recording->strange++;
    }
    recording->len = 0;
    recording->overlong = false;
}

void recording_feed(struct recording *recording, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        const char *end = memchr(at, '\n', len);
        size_t piece = end != NULL ? (size_t)(end - at) : len;
        if (piece > RECORDING_LINE_MAX - recording->len) {
            recording->overlong = true;
        } else if (!recording->overlong) {
            memcpy(recording->line + recording->len, at, piece);
            recording->len += piece;
        }
        if (end != NULL) {
            recording_end_line(recording);
            piece++;
        }
        at += piece;
        len -= piece;
    }
}

void recording_end(struct recording *recording)
{
    if (recording->len > 0 || recording->overlong) {
        recording_end_line(recording);
    }
}
