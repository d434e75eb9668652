#include "tool/doctor_report.h"

#include <stdio.h>
#include <string.h>

static void doctor_conclude(const struct doctor *doctor)
{
    bool ready = doctor->failed == 0;
    if (doctor->options->json) {
        (void)printf("\n],\"ready\":%s,\"failed\":%u,\"warnings\":%u}\n", ready ? "true" : "false",
                     doctor->failed, doctor->warned);
    } else if (ready) {
        (void)printf("ready: %u steps, %u warnings\n", doctor->steps, doctor->warned);
    } else {
        (void)printf("NOT ready: %u of %u steps failed\n", doctor->failed, doctor->steps);
    }
}

int tool_doctor(const struct tool_options *options)
{
    static struct doctor doctor;
    memset(&doctor, 0, sizeof doctor);
    doctor.options = options;
    if (options->identity == NULL || options->key == NULL || options->word_count != 0) {
        return tool_misuse("doctor needs --identity VAULT and --key NAME[/VERSION], and SECRET on "
                           "standard input",
                           "");
    }
    doctor_begin(&doctor);
    if (doctor_look_here(&doctor)) {
        if (doctor.connection.vault.address.host[0] != '\0') {
            doctor_look_at_way(&doctor);
        }
        doctor_look_at_vault(&doctor);
        doctor_look_at_map(&doctor);
        doctor_look_at_second(&doctor);
    }
    doctor_conclude(&doctor);
    connection_close(&doctor.connection);
    return doctor.failed == 0 ? TOOL_OK : TOOL_FAILED;
}
