/* The map: whether it can be read and written, and whether the vault still has what it names. */
#include <string.h>

#include "base/text.h"
#include "keymap/keymap.h"
#include "platform/system.h"
#include "tool/doctor_report.h"
#include "tool/explain.h"
#include "tool/map.h"
#include "vault/expiry.h"

#define MAP_WAIT_MS 3000
#define MAP_ASK_MAX 200 /* entries of this vault; the rest is `akv-ekm map check`'s */

static void map_report_entries(struct doctor *doctor, const struct keymap_table *table)
{
    char why[700], first[900] = "";
    unsigned asked = 0, gone = 0;
    const struct keymap_entry *soonest = NULL;
    int64_t soonest_s = 0;
    const char *host = doctor->connection.vault.address.host;
    for (size_t i = 0; i < table->count && asked < MAP_ASK_MAX; i++) {
        const struct keymap_entry *entry = table->entries[i];
        if (strcmp(entry->host, host) != 0) {
            continue;
        }
        asked++;
        int64_t ends_s = 0;
        if (map_ask_vault(&doctor->connection, entry, why, sizeof why, &ends_s)) {
            if (ends_s != 0 && (soonest == NULL || ends_s < soonest_s)) {
                soonest = entry;
                soonest_s = ends_s;
            }
        } else if (gone++ == 0) {
            (void)text_format(first, sizeof first, "; the first: %.160s: %.600s", entry->uri, why);
        }
    }
    doctor_report(
        doctor, "map-entries", gone > 0 ? DOCTOR_WARNING : DOCTOR_OK,
        "databases and backups under these keys do not open: recover or enable the key in the "
        "vault; `akv-ekm map check` names all",
        "%u keys of this vault asked for, %u not there%s", asked, gone, first);
    if (soonest != NULL) {
        char end[DOCTOR_END_MAX];
        enum doctor_outcome outcome = doctor_judge_end(soonest_s, EXPIRY_WARN_DAYS, end);
        doctor_report(doctor, "map-ends", outcome,
                      "the key expires soon: rotate it (docs/admin.md, Rotation)",
                      "the next key to expire: %.300s, %s", soonest->uri, end);
    }
}

void doctor_look_at_map(struct doctor *doctor)
{
    struct keymap_table table;
    const char *host = doctor->connection.vault.address.host;
    connection_begin_call(&doctor->connection, &doctor->call, "ProbeMap");
    enum plat_io io = map_load(&table);
    enum ekm_rc rc = EKM_OK;
    if (io != PLAT_IO_OK) {
        rc = call_fail(&doctor->call, EKM_MAP_FAILED, "%s cannot be read: %s", keymap_store_name(),
                       plat_io_text(io));
    } else if (host[0] != '\0') {
        rc = keymap_probe(&doctor->call, plat_now_ms() + MAP_WAIT_MS, host);
    }
    if (rc != EKM_OK) {
        doctor_report_failure(doctor, "map", rc);
    } else {
        doctor_report(doctor, "map", table.broken > 0 ? DOCTOR_WARNING : DOCTOR_OK,
                      "look at them: `akv-ekm map check`",
                      "%s can be written, %zu entries, %zu lines that are none",
                      keymap_store_name(), table.count, table.broken);
    }
    if (io == PLAT_IO_OK && doctor->signed_in && table.count > 0) {
        map_report_entries(doctor, &table);
    }
    keymap_table_free(&table);
}
