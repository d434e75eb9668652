#include "tool/assumption_judges.h"

#include <string.h>

#define CALLED(call, name)   ((call)->function == RECORDING_##name)
#define RESULT_TOO_SMALL     2 /* the buffer that was offered */
#define TIME_TO_THE_SECOND   (sizeof "2026-11-29T03:04:05" - 1)
#define SESSION_WAS_OPENED   1u
#define SESSION_DID_OTHER    2u                  /* than Encrypt and Decrypt */
#define SESSION_MADE_KEY     4u                  /* by its last call */
#define THREAD_ASKED_SIZE(f) ((unsigned)(f) + 1) /* by its last call */

static void judge_vote(struct judges *judges, enum judge judge, bool for_it)
{
    judges->counts[judge].for_it += for_it;
    judges->counts[judge].against += !for_it;
}

static bool judge_is_crypt(const struct recording_call *call)
{
    return CALLED(call, Encrypt) || CALLED(call, Decrypt);
}

/* NULL: there is no room for one more. */
static struct judge_process *judge_find_process(struct judges *judges, uint64_t number)
{
    for (size_t i = 0; i < judges->process_count; i++) {
        if (judges->processes[i].number == number) {
            return &judges->processes[i];
        }
    }
    if (judges->process_count == JUDGES_PROCESSES_MAX) {
        judges->lost = true;
        return NULL;
    }
    struct judge_process *process = &judges->processes[judges->process_count++];
    process->number = number;
    return process;
}

static void judge_enumeration(struct judges *judges, struct judge_process *process,
                              const struct recording_call *call)
{
    bool asked = CALLED(call, GetNextAlgorithmId);
    if (CALLED(call, InitializeProvider) && call->result == 0) {
        process->loads++;
    } else if (asked || CALLED(call, OpenSession) || CALLED(call, FreeProvider)) {
        for (; process->loads > 0; process->loads--) {
            judge_vote(judges, JUDGE_ENUMERATION, asked);
        }
    }
}

/* Contradicts: another load in a process where a session was open before. Confirms: a session that
 * was opened after another, without a load. */
static void judge_stays_loaded(struct judges *judges, struct judge_process *process,
                               const struct recording_call *call)
{
    bool loaded = CALLED(call, InitializeProvider);
    if (!loaded && !CALLED(call, OpenSession)) {
        return;
    }
    if (process->had_session) {
        judge_vote(judges, JUDGE_STAYS_LOADED, !loaded);
    }
    process->had_session = !loaded;
}

/* At the Free that closes the provider. */
static void judge_all_closed(struct judges *judges, struct judge_process *process,
                             const struct recording_call *call)
{
    if (CALLED(call, InitializeProvider) && call->result == 0) {
        process->open = process->depth > 0 ? process->open : 0;
        process->depth++;
    } else if (CALLED(call, FreeProvider)) {
        process->depth -= process->depth > 0;
        if (process->depth == 0) {
            judge_vote(judges, JUDGE_ALL_CLOSED, process->open == 0);
            process->open = 0;
        }
    } else if (call->result == 0) {
        process->open += CALLED(call, OpenSession);
        process->open -= CALLED(call, CloseSession);
    }
}

/* A rotation: a Decrypt under one key, then an Encrypt under another. A Decrypt under the latter
 * within a second counts as part of it. */
static void judge_move(struct judges *judges, struct judge_process *process,
                       const struct recording_call *call)
{
    size_t len = 0;
    const char *thumb = recording_field(call, "thumb", &len);
    if (!judge_is_crypt(call) || call->result != 0 || thumb == NULL ||
        len >= sizeof process->last_thumb) {
        return;
    }
    bool same = strlen(process->last_thumb) == len && memcmp(process->last_thumb, thumb, len) == 0;
    if (process->moved) {
        bool asks = CALLED(call, Decrypt) && same &&
                    memcmp(process->last_time, call->time, TIME_TO_THE_SECOND) == 0;
        judge_vote(judges, JUDGE_MOVE, !asks);
    }
    process->moved = CALLED(call, Encrypt) && process->last == RECORDING_Decrypt && !same;
    process->last = call->function;
    memcpy(process->last_thumb, thumb, len);
    process->last_thumb[len] = '\0';
    memcpy(process->last_time, call->time, sizeof process->last_time);
}

static struct call_entry *judge_find_session(struct judges *judges,
                                             const struct recording_call *call)
{
    bool begins = CALLED(call, OpenSession) || CALLED(call, CreateKey);
    if (!call->has_session) {
        return NULL;
    }
    return begins ? call_table_take(&judges->sessions, call->process, call->session)
                  : call_table_find(&judges->sessions, call->process, call->session);
}

/* Sessions with only Encrypt and Decrypt are the engine's own, or those of a user who calls only
 * functions. */
static void judge_session(struct judges *judges, const struct recording_call *call)
{
    struct call_entry *session = judge_find_session(judges, call);
    if (session == NULL) {
        return;
    }
    if ((session->facts & SESSION_MADE_KEY) != 0) {
        judge_vote(judges, JUDGE_CREATE_ORDER, CALLED(call, GetKeyInfoByName));
        session->facts &= ~SESSION_MADE_KEY;
    }
    if (CALLED(call, OpenSession)) {
        session->facts = SESSION_WAS_OPENED;
        session->count = 0;
    } else if (CALLED(call, CloseSession)) {
        if (session->facts == SESSION_WAS_OPENED && session->count > 0) {
            judge_vote(judges, JUDGE_OWN_SESSION, session->count == 1);
        }
        call_table_remove(&judges->sessions, session);
    } else if (judge_is_crypt(call)) {
        session->count += call->result == 0;
    } else {
        bool made = CALLED(call, CreateKey) && call->result == 0;
        session->facts |= SESSION_DID_OTHER | (made ? SESSION_MADE_KEY : 0);
    }
}

/* The first call of a pair asks for the size. CreateKey has no pair, because the engine knows the
 * length of a thumbprint. */
static void judge_size_query(struct judges *judges, const struct recording_call *call)
{
    size_t len = 0;
    struct call_entry *thread = call_table_find(&judges->threads, call->process, call->thread);
    bool second = thread != NULL && thread->facts == THREAD_ASKED_SIZE(call->function);
    bool of_pair = recording_field(call, "out", &len) != NULL && !CALLED(call, CreateKey);
    if (of_pair && !second && !judges->threads.lost) {
        judge_vote(judges, JUDGE_SIZE_QUERY, !recording_offers(call, "out"));
    }
    if (call->result != RESULT_TOO_SMALL) {
        call_table_remove(&judges->threads, thread);
        return;
    }
    thread = call_table_take(&judges->threads, call->process, call->thread);
    if (thread != NULL) {
        thread->facts = THREAD_ASKED_SIZE(call->function);
    }
}

static void judge_flags(struct judges *judges, const struct recording_call *call)
{
    uint64_t first = 0, second = 0;
    if (judge_is_crypt(call) && recording_number(call, "final", &first) &&
        recording_number(call, "params", &second)) {
        judge_vote(judges, JUDGE_FINAL, first == 1 && second == 0);
    }
    if (CALLED(call, ExportKey) && recording_number(call, "type", &first) &&
        recording_number(call, "encryptor", &second)) {
        judge_vote(judges, JUDGE_PUBLIC_BLOB, first == 1 && second == 0);
    }
    if (CALLED(call, CloseSession) && recording_number(call, "abort", &first)) {
        judge_vote(judges, JUDGE_ABORT, first == 0);
    }
}

void judges_see(struct judges *judges, const struct recording_call *call)
{
    struct judge_process *process = judge_find_process(judges, call->process);
    if (process != NULL) {
        judge_enumeration(judges, process, call);
        judge_stays_loaded(judges, process, call);
        judge_all_closed(judges, process, call);
        judge_move(judges, process, call);
    }
    judge_session(judges, call);
    judge_size_query(judges, call);
    judge_flags(judges, call);
}

void judges_end(struct judges *judges)
{
    for (size_t i = 0; i < judges->process_count; i++) {
        if (judges->processes[i].moved) {
            judge_vote(judges, JUDGE_MOVE, true);
            judges->processes[i].moved = false;
        }
    }
}
