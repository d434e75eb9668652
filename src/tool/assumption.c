#include "tool/assumption.h"

#include <string.h>

/* clang-format off */
const struct assumption assumptions[] = {
    {"A1", "A syntax error inside an expression is found when its statement runs", JUDGE_NONE},
    {"A2", "137, 195, 207, 208, 245 and 911 end the batch, other errors the statement", JUDGE_NONE},
    {"A3", "A path that is too long gives 33023", JUDGE_NONE},
    {"A4", "The algorithms are enumerated at each load", JUDGE_ENUMERATION},
    {"A5", "After 33085 the statement fails with 33027", JUDGE_NONE},
    {"A6", "A property out of range gives 33025", JUDGE_NONE},
    {"A7", "Another version of the provider gives 33029 with code 0", JUDGE_NONE},
    {"A8", "A library that was used stays loaded until the instance stops", JUDGE_STAYS_LOADED},
    {"A9", "FROM FILE while enabled gives 33071", JUDGE_NONE},
    {"A10", "The engine opens a session for each of its operations", JUDGE_OWN_SESSION},
    {"A11", "What is in use and dropped gives 15187", JUDGE_NONE},
    {"A12", "A second login from one key gives 33140", JUDGE_NONE},
    {"A13", "DROP LOGIN takes mappings along; of the own login 15434", JUDGE_NONE},
    {"A14", "CREATE_NEW: GetKeyInfoByName, GetAlgorithmInfo and ExportKey follow CreateKey", JUDGE_CREATE_ORDER},
    {"A15", "A failing Encrypt gives 15209, a failing Decrypt 15466", JUDGE_NONE},
    {"A16", "When 33040, 33051, 33052 and 33083 come", JUDGE_NONE},
    {"A17", "Turning encryption on and off is done when the statement is", JUDGE_NONE},
    {"A18", "A new log segment at every 64 KiB", JUDGE_NONE},
    {"A19", "Moving the key and turning encryption on ask for no further Decrypt at the new log file", JUDGE_MOVE},
    {"A20", "Which codes count as an outage of the network", JUDGE_NONE},
    {"A21", "What asked for the key fails with it, and the database stays ONLINE", JUDGE_NONE},
    {"A22", "RECOVERY PENDING: USE gives 926, SET ONLINE 5181 and 5069", JUDGE_NONE},
    {"A23", "A RESTORE that fails leaves what was there", JUDGE_NONE},
    {"A24", "A backup holds all live log segments", JUDGE_NONE},
    {"A25", "SQL Server 2025 prints the new numbers always", JUDGE_NONE},
    {"A26", "encryptor_type of a provider's key is ASYMMETRIC KEY_OAEP_256 at level 170", JUDGE_NONE},
    {"A27", "The first call of each pair offers no buffer", JUDGE_SIZE_QUERY},
    {"A28", "final is 1, there are no parameters", JUDGE_FINAL},
    {"A29", "Blob type 1, no encryptor", JUDGE_PUBLIC_BLOB},
    {"A30", "CloseSession comes with abort 0", JUDGE_ABORT},
    {"A31", "Every session is closed before the last Free", JUDGE_ALL_CLOSED},
    {"A32", "After an exception nothing of the library is called", JUDGE_NONE},
    {NULL, NULL, JUDGE_NONE}};
/* clang-format on */

enum assumption_verdict assumption_verdict(const struct assumption *assumption,
                                           const struct judges *judges)
{
    const struct judge_count *count = &judges->counts[assumption->judge];
    return count->against > 0  ? ASSUMPTION_CONTRADICTED
           : count->for_it > 0 ? ASSUMPTION_CONFIRMED
                               : ASSUMPTION_SILENT;
}

bool assumption_contradicted(const char *number, const struct judges *judges)
{
    for (const struct assumption *at = assumptions; at->number != NULL; at++) {
        if (strcmp(at->number, number) == 0) {
            return assumption_verdict(at, judges) == ASSUMPTION_CONTRADICTED;
        }
    }
    return false;
}

void assumption_print(const struct judges *judges, FILE *out)
{
    static const char *const words[] = {"says nothing", "confirmed", "contradicted"};
    for (const struct assumption *at = assumptions; at->number != NULL; at++) {
        const struct judge_count *count = &judges->counts[at->judge];
        enum assumption_verdict verdict = assumption_verdict(at, judges);
        (void)fprintf(out, "%-4s %-12s", at->number, words[verdict]);
        if (verdict != ASSUMPTION_SILENT) {
            (void)fprintf(out, " (%llu for, %llu against)", count->for_it, count->against);
        }
        (void)fprintf(out, ": %s%s\n", at->text,
                      at->judge == JUDGE_NONE ? " [the library cannot see it]" : "");
    }
}
