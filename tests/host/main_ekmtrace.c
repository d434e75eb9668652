/* ekmtrace FILE: what a recording (the setting trace_file) says about the assumptions of ekmhost.
 */
#include <stdio.h>
#include <string.h>

#include "assumption.h"
#include "platform.h"

static const char usage[] =
    "usage: ekmtrace FILE [REPORT]\n"
    "\n"
    "Tells for each assumption of docs/ekmhost.md whether the recording FILE, made by the setting\n"
    "trace_file, confirms it, contradicts it or says nothing. The report goes to standard output,\n"
    "or to REPORT, and may be sent: it names no keys, thumbprints or vaults.\n"
    "Exit: 0, 2 bad usage, 3 a file cannot be read or written, or holds no call.\n";

int main(int argc, char **argv)
{
    struct recording recording;
    platform_begin(&argc, &argv);
    if (argc < 2 || argc > 3 || argv[1][0] == '-') {
        bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;
        fputs(usage, asked ? stdout : stderr);
        return asked ? 0 : 2;
    }
    if (!recording_read(&recording, argv[1]) || recording.count == 0) {
        fprintf(stderr, "ekmtrace: %s cannot be read, or holds no call\n", argv[1]);
        recording_free(&recording);
        return 3;
    }
    FILE *out = argc == 3 ? platform_stream_open(argv[2], "w") : stdout;
    if (out)
        assumption_report(&recording, out);
    bool good = out && !ferror(out) && fflush(out) == 0;
    if (!good)
        fprintf(stderr, "ekmtrace: %s cannot be written\n", argc == 3 ? argv[2] : "the report");
    if (out && out != stdout)
        good = fclose(out) == 0 && good;
    recording_free(&recording);
    return good ? 0 : 3;
}
