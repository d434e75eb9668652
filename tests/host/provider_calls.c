/* The calls of a session. Each asks for the size, allocates, and asks again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "memory.h"
#include "platform.h"
#include "provider_calls.h"
#include "provider_conformance.h"
#include "provider_exports.h"
#include "provider_library.h"
#include "provider_text.h"

static SqlCpData as_data(const uint8_t *bytes, size_t len)
{
    SqlCpData data = {(uint32_t)len, NULL};
    memcpy(&data.pb, &bytes,
           sizeof bytes); /* the interface takes const data by a pointer without const */
    return data;
}

static int provider_calls_raised(struct provider_session *session, const char *function)
{
    fprintf(stderr, "ekmhost: an exception in %s\n", function);
    provider_session_broken(session);
    return PROVIDER_EXCEPTION;
}

/* The way to ask for a key: exactly one of the three. */
struct key_question {
    const SqlCpStr *name;
    const SqlCpData *thumbprint;
    SqlCpKeyId id;
};

static const char *question_function(const struct key_question *question)
{
    return question->name         ? "SqlCryptGetKeyInfoByName"
           : question->thumbprint ? "SqlCryptGetKeyInfoByThumb"
                                  : "SqlCryptGetKeyInfoByKeyId";
}

struct question_call {
    const struct provider_session *session;
    const struct key_question *question;
    SqlCpKeyInfo *info;
    int code;
};

static void ask_exports(void *context)
{
    struct question_call *call = context;
    const struct key_question *question = call->question;
    const struct provider_exports *exports = provider_session_exports(call->session);
    const SqlCpSession *handle = provider_session_handle(call->session);
    call->code = question->name ? exports->get_key_info_by_name(handle, question->name, call->info)
                 : question->thumbprint
                     ? exports->get_key_info_by_thumb(handle, question->thumbprint, call->info)
                     : exports->get_key_info_by_key_id(handle, question->id, call->info);
}

static int ask_once(struct provider_session *session, const struct key_question *question,
                    SqlCpKeyInfo *info)
{
    const char *function = question_function(question);
    struct question_call call = {session, question, info, 0};
    uint64_t start_ns = platform_clock_ns();
    if (!platform_guarded(ask_exports, &call))
        return provider_calls_raised(session, function);
    provider_session_trace(session, start_ns, function, call.code);
    provider_conformance_key(function, call.code, info, provider_session_thumbprint_len(session));
    return call.code;
}

/* The second call, with buffers as large as the first one asked for. */
static int fetch_key(struct provider_session *session, const struct key_question *question,
                     SqlCpKeyInfo *info, uint16_t *name, struct provider_key_info *out)
{
    const char *function = question_function(question);
    const SqlCpKeyInfo asked = *info;
    provider_conformance_fill(name, SQLCP_MAX_KEY_NAME_BYTES);
    provider_conformance_fill(out->thumbprint, sizeof out->thumbprint);
    info->name.ws = name;
    info->thumb.pb = out->thumbprint;
    int code = ask_once(session, question, info);
    if (code == PROVIDER_EXCEPTION)
        return code;
    provider_conformance_fetch(function, code, name, asked.name.cb, info->name.ws, info->name.cb);
    provider_conformance_fetch(function, code, out->thumbprint, asked.thumb.cb, info->thumb.pb,
                               info->thumb.cb);
    provider_conformance_tail(function, name, asked.name.cb, SQLCP_MAX_KEY_NAME_BYTES);
    provider_conformance_tail(function, out->thumbprint, asked.thumb.cb, sizeof out->thumbprint);
    if (info->name.cb > asked.name.cb)
        info->name.cb = asked.name.cb;
    if (info->thumb.cb > asked.thumb.cb)
        info->thumb.cb = asked.thumb.cb;
    return code;
}

static int ask_key(struct provider_session *session, const struct key_question *question,
                   struct provider_key_info *out)
{
    uint16_t name[SQLCP_MAX_KEY_NAME_BYTES / 2];
    SqlCpKeyInfo info;
    memset(&info, 0, sizeof info);
    int code = SQLCP_INSUFFICIENT_BUFFER;
    if (provider_library_habits()->offers_buffers) {
        info.name.cb = sizeof name;
        info.thumb.cb = sizeof out->thumbprint;
    } else {
        code = ask_once(session, question, &info);
    }
    if (code == PROVIDER_EXCEPTION)
        return code;
    provider_conformance_query(question_function(question), code, info.name.ws, info.name.cb,
                               sizeof name);
    provider_conformance_query(question_function(question), code, info.thumb.pb, info.thumb.cb,
                               sizeof out->thumbprint);
    if (code == SQLCP_INSUFFICIENT_BUFFER && info.name.cb <= sizeof name &&
        info.thumb.cb <= sizeof out->thumbprint) {
        code = fetch_key(session, question, &info, name, out);
    } else { /* nothing can have been written */
        info.name.cb = 0;
        info.thumb.cb = 0;
    }
    if (code != SQLCP_SUCCESS)
        return code;
    provider_text_copy(&info.name, name, out->name, sizeof out->name);
    out->thumbprint_len = info.thumb.cb;
    out->algorithm_id = info.algId;
    out->flags = info.flags;
    return code;
}

int provider_key_by_name(struct provider_session *session, const char *name,
                         struct provider_key_info *info)
{
    SqlCpStr text;
    provider_text_make(&text, name);
    int code = ask_key(session, &(struct key_question){.name = &text}, info);
    provider_text_wipe(&text);
    return code;
}

int provider_key_by_thumbprint(struct provider_session *session, const uint8_t *thumbprint,
                               size_t len, struct provider_key_info *info)
{
    SqlCpData data = as_data(thumbprint, len);
    return ask_key(session, &(struct key_question){.thumbprint = &data}, info);
}

int provider_key_by_id(struct provider_session *session, SqlCpKeyId id,
                       struct provider_key_info *info)
{
    return ask_key(session, &(struct key_question){.id = id}, info);
}

int provider_key_next_id(struct provider_session *session, SqlCpKeyId *id)
{
    uint64_t start_ns = platform_clock_ns();
    return provider_session_trace(
        session, start_ns, "SqlCryptGetNextKeyId",
        provider_session_exports(session)->get_next_key_id(provider_session_handle(session), id));
}

int provider_key_create(struct provider_session *session, const char *name, SqlCpAlgId algorithm,
                        SqlCpKeyFlags flags, struct provider_key_info *out)
{
    static const char function[] = "SqlCryptCreateKey";
    SqlCpStr text;
    uint32_t room = provider_session_thumbprint_len(session);
    if (room > sizeof out->thumbprint)
        room = sizeof out->thumbprint;
    SqlCpData thumbprint = {room, out->thumbprint};
    provider_conformance_fill(out->thumbprint, sizeof out->thumbprint);
    provider_text_make(&text, name);
    uint64_t start_ns = platform_clock_ns();
    int code = provider_session_exports(session)->create_key(provider_session_handle(session),
                                                             &text, algorithm, flags, &thumbprint);
    provider_session_trace(session, start_ns, function, code);
    provider_text_wipe(&text);
    provider_conformance_fetch(function, code, out->thumbprint, room, thumbprint.pb, thumbprint.cb);
    provider_conformance_tail(function, out->thumbprint, room, sizeof out->thumbprint);
    if (code == SQLCP_SUCCESS)
        out->thumbprint_len = thumbprint.cb <= room ? thumbprint.cb : room;
    return code;
}

int provider_key_drop(struct provider_session *session, const uint8_t *thumbprint, size_t len)
{
    SqlCpData data = as_data(thumbprint, len);
    uint64_t start_ns = platform_clock_ns();
    return provider_session_trace(
        session, start_ns, "SqlCryptDropKey",
        provider_session_exports(session)->drop_key(provider_session_handle(session), &data));
}

/* One of the three calls with one output of variable length. */
enum output_call { CALL_EXPORT, CALL_ENCRYPT, CALL_DECRYPT };

static const char *const output_functions[] = {"SqlCryptExportKey", "SqlCryptEncrypt",
                                               "SqlCryptDecrypt"};
static const uint32_t output_max[] = {SQLCP_MAX_KEY_BLOB_BYTES, UINT32_MAX / 2, UINT32_MAX / 2};

struct output_arguments {
    const struct provider_session *session;
    enum output_call call;
    const SqlCpData *thumbprint, *in;
    SqlCpData *out;
    int code;
};

static void call_exports(void *context)
{
    struct output_arguments *arguments = context;
    const struct provider_exports *exports = provider_session_exports(arguments->session);
    const SqlCpSession *handle = provider_session_handle(arguments->session);
    switch (arguments->call) {
    case CALL_EXPORT:
        arguments->code = exports->export_key(handle, arguments->thumbprint, NULL,
                                              SQLCP_PUBLIC_KEY_BLOB, arguments->out);
        break;
    case CALL_ENCRYPT:
        arguments->code = exports->encrypt(handle, arguments->thumbprint, 1, NULL, 0, arguments->in,
                                           arguments->out);
        break;
    default:
        arguments->code = exports->decrypt(handle, arguments->thumbprint, 1, NULL, 0, arguments->in,
                                           arguments->out);
    }
}

static int call_output(struct provider_session *session, enum output_call call,
                       const SqlCpData *thumbprint, const SqlCpData *in, SqlCpData *out)
{
    struct output_arguments arguments = {session, call, thumbprint, in, out, 0};
    uint64_t start_ns = platform_clock_ns();
    if (!platform_guarded(call_exports, &arguments))
        return provider_calls_raised(session, output_functions[call]);
    return provider_session_trace(session, start_ns, output_functions[call], arguments.code);
}

/* More than any wrapped key or public key needs. */
enum { FIRST_OFFER = 2048 };

static int call_sized(struct provider_session *session, enum output_call call,
                      const SqlCpData *thumbprint, const SqlCpData *in, uint8_t **bytes,
                      size_t *len)
{
    const char *function = output_functions[call];
    SqlCpData out = {FIRST_OFFER, NULL};
    *bytes = NULL;
    *len = 0;
    int code = SQLCP_INSUFFICIENT_BUFFER;
    if (!provider_library_habits()->offers_buffers) {
        out.cb = 0;
        code = call_output(session, call, thumbprint, in, &out);
        if (code == PROVIDER_EXCEPTION)
            return code;
        provider_conformance_query(function, code, out.pb, out.cb, output_max[call]);
    }
    if (code == SQLCP_SUCCESS && out.cb > 0)
        return SQLCP_PROVIDER_ERROR; /* bytes it never handed over */
    if (code != SQLCP_INSUFFICIENT_BUFFER || out.cb > output_max[call])
        return code; /* success without a buffer is an empty answer */
    uint32_t room = out.cb;
    uint8_t *buffer = memory_take((size_t)room + PROVIDER_GUARD_LEN);
    provider_conformance_fill(buffer, (size_t)room + PROVIDER_GUARD_LEN);
    out.pb = buffer;
    code = call_output(session, call, thumbprint, in, &out);
    if (code == PROVIDER_EXCEPTION) {
        free(buffer);
        return code;
    }
    provider_conformance_fetch(function, code, buffer, room, out.pb, out.cb);
    provider_conformance_tail(function, buffer, room, (size_t)room + PROVIDER_GUARD_LEN);
    if (code != SQLCP_SUCCESS || out.pb != buffer || out.cb > room) {
        OPENSSL_cleanse(buffer, room);
        free(buffer);
        return code == SQLCP_SUCCESS ? SQLCP_PROVIDER_ERROR : code;
    }
    *bytes = buffer;
    *len = out.cb;
    return code;
}

int provider_key_export(struct provider_session *session, const uint8_t *thumbprint, size_t len,
                        uint8_t **blob, size_t *blob_len)
{
    SqlCpData thumb = as_data(thumbprint, len);
    return call_sized(session, CALL_EXPORT, &thumb, NULL, blob, blob_len);
}

int provider_encrypt(struct provider_session *session, const uint8_t *thumbprint,
                     size_t thumbprint_len, const uint8_t *in, size_t in_len, uint8_t **out,
                     size_t *out_len)
{
    SqlCpData thumb = as_data(thumbprint, thumbprint_len);
    SqlCpData data = as_data(in, in_len);
    return call_sized(session, CALL_ENCRYPT, &thumb, &data, out, out_len);
}

int provider_decrypt(struct provider_session *session, const uint8_t *thumbprint,
                     size_t thumbprint_len, const uint8_t *in, size_t in_len, uint8_t **out,
                     size_t *out_len)
{
    SqlCpData thumb = as_data(thumbprint, thumbprint_len);
    SqlCpData data = as_data(in, in_len);
    return call_sized(session, CALL_DECRYPT, &thumb, &data, out, out_len);
}
