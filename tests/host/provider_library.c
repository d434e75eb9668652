#include "provider_library.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "platform.h"
#include "provider_conformance.h"
#include "provider_exports.h"
#include "provider_text.h"

struct provider_session {
    struct provider_session *next;
    struct provider_library *library;
    SqlCpSession handle;
    uint64_t number;
    char *identity;
    int spid;
};

struct provider_library {
    void *module;
    struct provider_exports exports;
    struct provider_info info;
    bool trace;
    atomic_bool broken;
    struct platform_mutex *lock; /* of the list of sessions */
    struct provider_session *sessions;
    uint64_t next_number;
};

static struct provider_habits habits;

void provider_library_behave(const struct provider_habits *those)
{
    habits = *those;
}

const struct provider_habits *provider_library_habits(void)
{
    return &habits;
}

/* Prints one line about the call to stderr, if --trace is given. Returns the code. */
static int provider_library_trace(const struct provider_library *library, uint64_t start_ns,
                                  const char *function, int code, uint64_t session)
{
    provider_conformance_code(function, code);
    if (!library->trace)
        return code;
    double ms = (double)(platform_clock_ns() - start_ns) / 1e6;
    if (session)
        fprintf(stderr, "trace: %s = %d (%.3f ms) session %" PRIu64 "\n", function, code, ms,
                session);
    else
        fprintf(stderr, "trace: %s = %d (%.3f ms)\n", function, code, ms);
    return code;
}

static int ask_algorithm(struct provider_library *library, SqlCpAlgId id,
                         struct provider_algorithm *out)
{
    static const char function[] = "SqlCryptGetAlgorithmInfo";
    uint16_t tag[SQLCP_MAX_ALGORITHM_TAG_BYTES / 2];
    SqlCpAlgorithmInfo info;
    memset(&info, 0, sizeof info);
    uint64_t start_ns = platform_clock_ns();
    int code = provider_library_trace(library, start_ns, function,
                                      library->exports.get_algorithm_info(id, &info), 0);
    provider_conformance_query(function, code, info.algTag.ws, info.algTag.cb, sizeof tag);
    if (code == SQLCP_INSUFFICIENT_BUFFER && info.algTag.cb <= sizeof tag) {
        uint32_t room = info.algTag.cb;
        provider_conformance_fill(tag, sizeof tag);
        info.algTag.ws = tag;
        start_ns = platform_clock_ns();
        code = provider_library_trace(library, start_ns, function,
                                      library->exports.get_algorithm_info(id, &info), 0);
        provider_conformance_fetch(function, code, tag, room, info.algTag.ws, info.algTag.cb);
        provider_conformance_tail(function, tag, room, sizeof tag);
        info.algTag.cb = info.algTag.cb < room ? info.algTag.cb : room;
    } else {
        info.algTag.cb = 0;
    }
    if (code != SQLCP_SUCCESS)
        return code;
    *out = (struct provider_algorithm){
        .id = id, .type = info.type, .bit_len = info.bitLen, .iv_len = info.ivLen};
    provider_text_copy(&info.algTag, tag, out->tag, sizeof out->tag);
    provider_conformance_algorithm(out);
    return code;
}

static int ask_algorithms(struct provider_library *library)
{
    SqlCpAlgId id = SQLCP_INVALID_ID;
    SqlCpAlgId before = SQLCP_INVALID_ID;
    struct provider_info *info = &library->info;
    while (info->algorithm_count < PROVIDER_MAX_ALGORITHMS) {
        uint64_t start_ns = platform_clock_ns();
        int code = library->exports.get_next_algorithm_id(&id);
        provider_library_trace(library, start_ns, "SqlCryptGetNextAlgorithmId", code, 0);
        if (code != SQLCP_SUCCESS)
            return code == SQLCP_NOT_FOUND ? SQLCP_SUCCESS : code;
        if (id == before) {
            provider_conformance_report("SqlCryptGetNextAlgorithmId", "does not go on from %u", id);
            return SQLCP_SUCCESS;
        }
        before = id;
        code = ask_algorithm(library, id, &info->algorithms[info->algorithm_count]);
        if (code != SQLCP_SUCCESS)
            return code;
        info->algorithm_count++;
    }
    return SQLCP_SUCCESS;
}

static void take_info(struct provider_info *out, const SqlCpProviderInfo *info)
{
    const SqlCpGuid *guid = &info->guid;
    snprintf(out->guid, sizeof out->guid, "%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X",
             guid->Data1, guid->Data2, guid->Data3, guid->Data4[0], guid->Data4[1], guid->Data4[2],
             guid->Data4[3], guid->Data4[4], guid->Data4[5], guid->Data4[6], guid->Data4[7]);
    out->version = info->version;
    out->api_version = info->scpVersion;
    out->auth_type = info->authType;
    out->symmetric_support = info->symmKeySupport;
    out->asymmetric_support = info->asymmKeySupport;
    out->thumbprint_len = info->cbKeyThumbLen;
    out->accepts_key_name = info->fAcceptsKeyName != 0;
}

/* Calls first without a name buffer, then with one. If the name pointer comes back changed, the
 * call counts as failed. */
static int ask_info(struct provider_library *library)
{
    static const char function[] = "SqlCryptGetProviderInfo";
    uint16_t name[SQLCP_MAX_FRIENDLY_NAME_BYTES / 2];
    SqlCpProviderInfo info;
    memset(&info, 0, sizeof info);
    uint64_t start_ns = platform_clock_ns();
    int code = provider_library_trace(library, start_ns, function,
                                      library->exports.get_provider_info(&info), 0);
    provider_conformance_query(function, code, info.name.ws, info.name.cb, sizeof name);
    provider_conformance_info(code, &info);
    library->info.overwrote_name = info.name.ws != NULL;
    if (!info.name.ws && code == SQLCP_INSUFFICIENT_BUFFER && info.name.cb <= sizeof name) {
        uint32_t room = info.name.cb;
        provider_conformance_fill(name, sizeof name);
        info.name.ws = name;
        start_ns = platform_clock_ns();
        code = provider_library_trace(library, start_ns, function,
                                      library->exports.get_provider_info(&info), 0);
        provider_conformance_fetch(function, code, name, room, info.name.ws, info.name.cb);
        provider_conformance_tail(function, name, room, sizeof name);
        provider_conformance_info(code, &info);
        library->info.overwrote_name = info.name.ws != name;
        info.name.cb = info.name.cb < room ? info.name.cb : room;
    }
    if (!library->info.overwrote_name && code != SQLCP_SUCCESS)
        return code;
    take_info(&library->info, &info);
    bool filled = !library->info.overwrote_name && info.name.ws;
    provider_text_copy(&info.name, filled ? name : NULL, library->info.name,
                       sizeof library->info.name);
    return SQLCP_SUCCESS;
}

static int provider_library_initialize(struct provider_library *library)
{
    uint64_t start_ns = platform_clock_ns();
    return provider_library_trace(library, start_ns, "SqlCryptInitializeProvider",
                                  library->exports.initialize(), 0);
}

static bool fault_set(struct provider_fault *fault, enum provider_step step, int code)
{
    fault->step = step;
    fault->code = code;
    return code == SQLCP_SUCCESS;
}

static bool open_module(struct provider_library *library, const char *path,
                        struct provider_fault *fault)
{
    library->module = platform_library_open(path, fault->text, sizeof fault->text);
    if (!library->module) {
        fault->step = PROVIDER_STEP_LOAD;
        return false;
    }
    fault->state =
        provider_exports_find(&library->exports, library->module, fault->text, sizeof fault->text);
    if (fault->state == 0)
        return true;
    fault->step = PROVIDER_STEP_EXPORT;
    platform_library_close(library->module);
    library->module = NULL;
    return false;
}

struct provider_library *provider_library_load(const char *path, bool trace_calls,
                                               struct provider_fault *fault)
{
    struct provider_library *library = memory_take(sizeof *library);
    library->trace = trace_calls;
    library->lock = platform_mutex_new();
    *fault = (struct provider_fault){0};
    if (open_module(library, path, fault)) {
        if (!fault_set(fault, PROVIDER_STEP_INITIALIZE, provider_library_initialize(library))) {
            platform_library_close(library->module);
            library->module = NULL;
        } else if (fault_set(fault, PROVIDER_STEP_INFO, ask_info(library)) &&
                   (library->info.overwrote_name || habits.no_algorithms ||
                    fault_set(fault, PROVIDER_STEP_ALGORITHMS, ask_algorithms(library)))) {
            return library;
        }
    }
    provider_library_unload(library);
    return NULL;
}

void provider_library_unload(struct provider_library *library)
{
    if (!library)
        return;
    while (library->sessions)
        provider_session_close(library->sessions, true);
    if (library->module && !library->broken) {
        uint64_t start_ns = platform_clock_ns();
        provider_library_trace(library, start_ns, "SqlCryptFreeProvider",
                               library->exports.free_provider(), 0);
        platform_library_close(library->module);
    }
    platform_mutex_free(library->lock);
    free(library);
}

int provider_library_algorithms(struct provider_library *library)
{
    return library->info.algorithm_count > 0 ? SQLCP_SUCCESS : ask_algorithms(library);
}

const struct provider_info *provider_library_info(const struct provider_library *library)
{
    return &library->info;
}

int provider_session_open(struct provider_library *library, const char *identity,
                          const char *secret, int spid, struct provider_session **session)
{
    SqlCpCredential credential = {{0, NULL}, {0, NULL}};
    struct provider_session *made = memory_take(sizeof *made);
    *session = NULL;
    if (identity) {
        provider_text_make(&credential.name, identity);
        provider_text_make(&credential.password, secret);
    }
    platform_mutex_lock(library->lock);
    made->number = ++library->next_number;
    platform_mutex_unlock(library->lock);
    uint64_t start_ns = platform_clock_ns();
    int code = library->exports.open_session(identity ? &credential : NULL, &made->handle);
    provider_library_trace(library, start_ns, "SqlCryptOpenSession", code, made->number);
    provider_text_wipe(&credential.name);
    provider_text_wipe(&credential.password);
    if (code != SQLCP_SUCCESS) {
        free(made);
        return code;
    }
    made->library = library;
    made->identity = memory_text(identity ? identity : "");
    made->spid = spid;
    platform_mutex_lock(library->lock);
    made->next = library->sessions;
    library->sessions = made;
    platform_mutex_unlock(library->lock);
    *session = made;
    return code;
}

void provider_session_broken(struct provider_session *session)
{
    session->library->broken = true;
}

void provider_session_close(struct provider_session *session, bool abort_calls)
{
    struct provider_library *library = session->library;
    platform_mutex_lock(library->lock);
    struct provider_session **link = &library->sessions;
    while (*link && *link != session)
        link = &(*link)->next;
    if (*link)
        *link = session->next;
    platform_mutex_unlock(library->lock);
    if (!library->broken) {
        uint64_t start_ns = platform_clock_ns();
        int code = library->exports.close_session(&session->handle, abort_calls || habits.aborts);
        provider_library_trace(library, start_ns, "SqlCryptCloseSession", code, session->number);
    }
    free(session->identity);
    free(session);
}

int provider_session_algorithm(struct provider_session *session, SqlCpAlgId id,
                               struct provider_algorithm *algorithm)
{
    return ask_algorithm(session->library, id, algorithm);
}

void provider_library_sessions(struct provider_library *library,
                               void (*each)(void *context,
                                            const struct provider_session_entry *entry),
                               void *context)
{
    platform_mutex_lock(library->lock);
    for (const struct provider_session *at = library->sessions; at; at = at->next) {
        struct provider_session_entry entry = {(uint64_t)(uintptr_t)at->handle, at->identity,
                                               at->spid};
        each(context, &entry);
    }
    platform_mutex_unlock(library->lock);
}

const struct provider_exports *provider_session_exports(const struct provider_session *session)
{
    return &session->library->exports;
}

const SqlCpSession *provider_session_handle(const struct provider_session *session)
{
    return &session->handle;
}

uint32_t provider_session_thumbprint_len(const struct provider_session *session)
{
    return session->library->info.thumbprint_len;
}

int provider_session_trace(const struct provider_session *session, uint64_t start_ns,
                           const char *function, int code)
{
    return provider_library_trace(session->library, start_ns, function, code, session->number);
}
