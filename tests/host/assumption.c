#include "assumption.h"

#include <stdlib.h>
#include <string.h>

#include "assumption_judges.h"

/* clang-format off */
const struct assumption assumptions[] = {
    {"A1", "A syntax error inside an expression is found when its statement runs", NULL},
    {"A2", "137, 195, 207, 208, 245 and 911 end the batch, other errors the statement", NULL},
    {"A3", "A path that is too long gives 33023", NULL},
    {"A4", "The algorithms are enumerated at each load", judge_enumeration},
    {"A5", "After 33085 the statement fails with 33027", NULL},
    {"A6", "A property out of range gives 33025", NULL},
    {"A7", "Another version of the provider gives 33029 with code 0", NULL},
    {"A8", "A library that was used stays loaded until the instance stops", judge_stays_loaded},
    {"A9", "FROM FILE while enabled gives 33071", NULL},
    {"A10", "The engine opens a session for each of its operations", judge_own_session},
    {"A11", "What is in use and dropped gives 15187", NULL},
    {"A12", "A second login from one key gives 33140", NULL},
    {"A13", "DROP LOGIN takes mappings along; of the own login 15434", NULL},
    {"A14", "CREATE_NEW: GetKeyInfoByName, GetAlgorithmInfo and ExportKey follow CreateKey", judge_create_order},
    {"A15", "A failing Encrypt gives 15209, a failing Decrypt 15466", NULL},
    {"A16", "When 33040, 33051, 33052 and 33083 come", NULL},
    {"A17", "Turning encryption on and off is done when the statement is", NULL},
    {"A18", "A new log segment at every 64 KiB", NULL},
    {"A19", "Moving the key and turning encryption on ask for no further Decrypt at the new log file", judge_move},
    {"A20", "Which codes count as an outage of the network", NULL},
    {"A21", "What asked for the key fails with it, and the database stays ONLINE", NULL},
    {"A22", "RECOVERY PENDING: USE gives 926, SET ONLINE 5181 and 5069", NULL},
    {"A23", "A RESTORE that fails leaves what was there", NULL},
    {"A24", "A backup holds all live log segments", NULL},
    {"A25", "SQL Server 2025 prints the new numbers always", NULL},
    {"A26", "encryptor_type of a provider's key is ASYMMETRIC KEY_OAEP_256 at level 170", NULL},
    {"A27", "The first call of each pair offers no buffer", judge_size_query},
    {"A28", "final is 1, there are no parameters", judge_final},
    {"A29", "Blob type 1, no encryptor", judge_public_blob},
    {"A30", "CloseSession comes with abort 0", judge_no_abort},
    {"A31", "Every session is closed before the last Free", judge_all_closed},
    {"A32", "After an exception nothing of the library is called", NULL},
    {NULL, NULL, NULL}};
/* clang-format on */

enum assumption_verdict assumption_verdict(const struct assumption *assumption,
                                           const struct recording *recording,
                                           struct assumption_count *count)
{
    *count = (struct assumption_count){0, 0};
    if (assumption->judge)
        assumption->judge(recording, count);
    return count->against > 0  ? ASSUMPTION_CONTRADICTED
           : count->for_it > 0 ? ASSUMPTION_CONFIRMED
                               : ASSUMPTION_SILENT;
}

bool assumption_contradicted(const char *number, const struct recording *recording)
{
    for (const struct assumption *at = assumptions; at->number; at++) {
        struct assumption_count count;
        if (strcmp(at->number, number) == 0)
            return assumption_verdict(at, recording, &count) == ASSUMPTION_CONTRADICTED;
    }
    return false;
}

static void print_verdicts(const struct recording *recording, FILE *out)
{
    static const char *const words[] = {"says nothing", "confirmed", "contradicted"};
    for (const struct assumption *at = assumptions; at->number; at++) {
        struct assumption_count count;
        enum assumption_verdict verdict = assumption_verdict(at, recording, &count);
        fprintf(out, "%-4s %-12s", at->number, words[verdict]);
        if (verdict != ASSUMPTION_SILENT)
            fprintf(out, " (%ld for, %ld against)", count.for_it, count.against);
        fprintf(out, ": %s%s\n", at->text, at->judge ? "" : " [the library cannot see it]");
    }
}

static int by_function(const void *left, const void *right)
{
    const struct recording_call *a = left;
    const struct recording_call *b = right;
    int order = strcmp(a->function, b->function);
    return order ? order : (a->result > b->result) - (a->result < b->result);
}

/* One line for each function and result: how often, and the longest time. */
static void print_calls(const struct recording *recording, FILE *out)
{
    size_t count = recording->count;
    struct recording_call *calls = calloc(count + 1, sizeof *calls);
    if (!calls)
        return;
    memcpy(calls, recording->calls, count * sizeof *calls);
    qsort(calls, count, sizeof *calls, by_function);
    for (size_t first = 0, next = 0; first < count; first = next) {
        long longest_us = 0;
        while (next < count && by_function(&calls[first], &calls[next]) == 0) {
            if (calls[next].took_us > longest_us)
                longest_us = calls[next].took_us;
            next++;
        }
        fprintf(out, "%8zu %-18s result %ld, longest %ld us\n", next - first, calls[first].function,
                calls[first].result, longest_us);
    }
    free(calls);
}

void assumption_report(const struct recording *recording, FILE *out)
{
    const char *from = recording->count ? recording->calls[0].time : "-";
    const char *to = recording->count ? recording->calls[recording->count - 1].time : "-";
    fprintf(out, "Report on a recording of SQL Server's calls\n%s\n",
            *recording->title ? recording->title : "recorded by an unknown version");
    fprintf(out, "%zu calls from %s to %s, %zu other lines\n\n", recording->count, from, to,
            recording->strange);
    print_calls(recording, out);
    fprintf(out, "\n");
    print_verdicts(recording, out);
    fprintf(out,
            "\nNo names, thumbprints or identities are in this report. Please add the result of\n"
            "SELECT @@VERSION and send it to the project.\n");
}
