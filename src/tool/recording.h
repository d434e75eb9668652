/*
 * Reads a recording of an engine's calls, as the setting trace_file makes it: one line a call,
 * `time process/thread function key=value ...`.
 *
 * Takes the bytes piece by piece, so that a recording may have any size. A line that is damaged,
 * cut or no call at all is counted and left out. No memory beyond the struct. One thread.
 */
#ifndef AKVEKM_TOOL_RECORDING_H
#define AKVEKM_TOOL_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDING_LINE_MAX 2600 /* the library's are at most 2560 bytes */
#define RECORDING_TIME     "0000-00-00T00:00:00.000Z"

/* clang-format off */
#define RECORDING_FUNCTIONS(X) /* without `SqlCrypt` */ \
    X(InitializeProvider) X(FreeProvider) X(GetProviderInfo) X(GetNextAlgorithmId) \
    X(GetAlgorithmInfo) X(OpenSession) X(CloseSession) X(CreateKey) X(DropKey) X(GetNextKeyId) \
    X(GetKeyInfoByKeyId) X(GetKeyInfoByThumb) X(GetKeyInfoByName) X(ExportKey) X(ImportKey) \
    X(Encrypt) X(Decrypt)
#define RECORDING_ENUM(name) RECORDING_##name,
/* clang-format on */
enum recording_function { RECORDING_FUNCTIONS(RECORDING_ENUM) RECORDING_FUNCTION_COUNT };
const char *recording_function_name(enum recording_function function);

struct recording_call {
    char time[sizeof RECORDING_TIME];
    uint64_t process, thread, session;
    bool has_session;
    enum recording_function function;
    long result; /* -1: FreeProvider, whose line has none */
    uint64_t took_us;
    const char *fields; /* key=value, with blanks between */
};

struct recording {
    void (*visit)(void *context, const struct recording_call *call);
    void *context;
    char title[128]; /* of the first run: version and system; "" if absent */
    unsigned long long calls, strange;
    size_t len; /* of the line at work */
    bool overlong;
    char line[RECORDING_LINE_MAX + 1];
};

void recording_feed(struct recording *recording, const void *data, size_t len);
void recording_end(struct recording *recording); /* the last line need not have an end */

/* The value of a field and its length; NULL if the call has no such one. */
const char *recording_field(const struct recording_call *call, const char *key, size_t *len);
/* The number that it begins with: of `out=256p` 256. */
bool recording_number(const struct recording_call *call, const char *key, uint64_t *out);
/* Whether the field is a size with a pointer. */
bool recording_offers(const struct recording_call *call, const char *key);

#endif
