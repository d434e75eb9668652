#include "assumption_judges.h"

#include <stdlib.h>
#include <string.h>

#include "platform.h"

static bool same_process(const struct recording_call *a, const struct recording_call *b)
{
    return strcmp(a->process, b->process) == 0;
}

static bool same_session(const struct recording_call *a, const struct recording_call *b)
{
    return same_process(a, b) && strcmp(a->session, b->session) == 0;
}

static bool is_crypt(const struct recording_call *call)
{
    return recording_is(call, "Encrypt") || recording_is(call, "Decrypt");
}

static void count_if(struct assumption_count *count, bool for_it)
{
    count->for_it += for_it;
    count->against += !for_it;
}

void judge_enumeration(const struct recording *recording, struct assumption_count *count)
{
    const struct recording_call *calls = recording->calls;
    for (size_t i = 0; i < recording->count; i++) {
        if (!recording_is(&calls[i], "InitializeProvider"))
            continue;
        for (size_t j = i + 1; j < recording->count; j++) {
            if (!same_process(&calls[i], &calls[j]))
                continue;
            bool asked = recording_is(&calls[j], "GetNextAlgorithmId");
            if (asked || recording_is(&calls[j], "OpenSession") ||
                recording_is(&calls[j], "FreeProvider")) {
                count_if(count, asked);
                break;
            }
        }
    }
}

/* Against: another load in a process in which a session was open before. For: a session that was
 * opened after another, without. */
void judge_stays_loaded(const struct recording *recording, struct assumption_count *count)
{
    const struct recording_call *calls = recording->calls;
    for (size_t i = 0; i < recording->count; i++) {
        if (!recording_is(&calls[i], "OpenSession"))
            continue;
        for (size_t j = i + 1; j < recording->count; j++) {
            bool loaded = recording_is(&calls[j], "InitializeProvider");
            if (same_process(&calls[i], &calls[j]) &&
                (loaded || recording_is(&calls[j], "OpenSession"))) {
                count_if(count, !loaded);
                break;
            }
        }
    }
}

/* Sessions in which nothing but Encrypt and Decrypt was called: the engine's own, or a user's who
 * calls functions alone. */
void judge_own_session(const struct recording *recording, struct assumption_count *count)
{
    const struct recording_call *calls = recording->calls;
    for (size_t i = 0; i < recording->count; i++) {
        long operations = 0;
        bool only_crypt = true, over = false;
        if (!recording_is(&calls[i], "OpenSession") || calls[i].result != 0)
            continue;
        for (size_t j = i + 1; j < recording->count && !over; j++) {
            if (!same_session(&calls[i], &calls[j]))
                continue;
            over = recording_is(&calls[j], "CloseSession");
            only_crypt = only_crypt && (over || is_crypt(&calls[j]));
            operations += is_crypt(&calls[j]) && calls[j].result == 0;
        }
        if (over && only_crypt && operations > 0)
            count_if(count, operations == 1);
    }
}

void judge_create_order(const struct recording *recording, struct assumption_count *count)
{
    const struct recording_call *calls = recording->calls;
    for (size_t i = 0; i < recording->count; i++) {
        if (!recording_is(&calls[i], "CreateKey") || calls[i].result != 0)
            continue;
        for (size_t j = i + 1; j < recording->count; j++) {
            if (same_session(&calls[i], &calls[j])) {
                count_if(count, recording_is(&calls[j], "GetKeyInfoByName"));
                break;
            }
        }
    }
}

/* The next Encrypt or Decrypt of the process that succeeded; the count if there is none. */
static size_t next_crypt(const struct recording *recording, size_t at)
{
    const struct recording_call *calls = recording->calls;
    size_t next = at + 1;
    while (next < recording->count && (!same_process(&calls[at], &calls[next]) ||
                                       !is_crypt(&calls[next]) || calls[next].result != 0))
        next++;
    return next;
}

static bool same_thumb(const struct recording_call *a, const struct recording_call *b)
{
    const char *one = recording_field(a, "thumb");
    const char *other = recording_field(b, "thumb");
    return one && other && strcmp(one, other) == 0;
}

/* A move: a Decrypt under one key, then an Encrypt under another. What follows within a second is
 * held to belong to it. */
void judge_move(const struct recording *recording, struct assumption_count *count)
{
    const struct recording_call *calls = recording->calls;
    for (size_t i = 0; i < recording->count; i++) {
        size_t j = recording_is(&calls[i], "Decrypt") && calls[i].result == 0
                       ? next_crypt(recording, i)
                       : recording->count;
        if (j == recording->count || !recording_is(&calls[j], "Encrypt") ||
            same_thumb(&calls[i], &calls[j]))
            continue;
        size_t k = next_crypt(recording, j);
        bool asks = k < recording->count && recording_is(&calls[k], "Decrypt") &&
                    same_thumb(&calls[j], &calls[k]) &&
                    strncmp(calls[j].time, calls[k].time, strlen("2026-11-29T03:04:05")) == 0;
        count_if(count, !asks);
    }
}

/* CreateKey has no pair of calls: the engine knows the length of a thumbprint. */
static bool is_of_pair(const struct recording_call *call)
{
    return recording_field(call, "out") && !recording_is(call, "CreateKey");
}

void judge_size_query(const struct recording *recording, struct assumption_count *count)
{
    const struct recording_call *calls = recording->calls;
    for (size_t i = 0; i < recording->count; i++) {
        if (!is_of_pair(&calls[i]))
            continue;
        size_t before = i;
        while (before > 0) {
            before--;
            if (same_process(&calls[i], &calls[before]) &&
                strcmp(calls[i].thread, calls[before].thread) == 0)
                break;
        }
        bool second = before < i && recording_is(&calls[before], calls[i].function) &&
                      calls[before].result == 2;
        if (!second)
            count_if(count, !recording_offers(&calls[i], "out"));
    }
}

void judge_final(const struct recording *recording, struct assumption_count *count)
{
    for (size_t i = 0; i < recording->count; i++) {
        const char *final = recording_field(&recording->calls[i], "final");
        const char *params = recording_field(&recording->calls[i], "params");
        if (final && params)
            count_if(count, strcmp(final, "1") == 0 && strtol(params, NULL, 10) == 0);
    }
}

void judge_public_blob(const struct recording *recording, struct assumption_count *count)
{
    for (size_t i = 0; i < recording->count; i++) {
        const char *type = recording_field(&recording->calls[i], "type");
        const char *encryptor = recording_field(&recording->calls[i], "encryptor");
        if (recording_is(&recording->calls[i], "ExportKey") && type && encryptor)
            count_if(count, strcmp(type, "1") == 0 && strcmp(encryptor, "0") == 0);
    }
}

void judge_no_abort(const struct recording *recording, struct assumption_count *count)
{
    for (size_t i = 0; i < recording->count; i++) {
        const char *abort_calls = recording_field(&recording->calls[i], "abort");
        if (abort_calls)
            count_if(count, strcmp(abort_calls, "0") == 0);
    }
}

/* Of each Free: how many sessions its process had open then. */
void judge_all_closed(const struct recording *recording, struct assumption_count *count)
{
    const struct recording_call *calls = recording->calls;
    for (size_t i = 0; i < recording->count; i++) {
        long opened = 0;
        if (!recording_is(&calls[i], "FreeProvider"))
            continue;
        for (size_t j = i; j > 0 && !(same_process(&calls[i], &calls[j - 1]) &&
                                      recording_is(&calls[j - 1], "InitializeProvider"));
             j--) {
            if (!same_process(&calls[i], &calls[j - 1]) || calls[j - 1].result != 0)
                continue;
            opened += recording_is(&calls[j - 1], "OpenSession");
            opened -= recording_is(&calls[j - 1], "CloseSession");
        }
        count_if(count, opened == 0);
    }
}
