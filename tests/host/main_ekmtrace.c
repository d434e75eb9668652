/* ekmtrace FILE: reports what a recording (the setting trace_file) shows about the assumptions of
 * ekmhost, like `akv-ekm trace`, but without the libraries that akv-ekm needs. */
#include <stdio.h>
#include <string.h>

#include "tool/trace_report.h"

static const char usage[] =
    "usage: ekmtrace FILE [REPORT]\n"
    "\n"
    "Tells for each assumption of docs/ekmhost.md whether the recording FILE, made by the setting\n"
    "trace_file, confirms it, contradicts it or says nothing, as `akv-ekm trace` does. The report\n"
    "goes to standard output, or to REPORT, and may be sent: it names no keys, thumbprints or\n"
    "vaults.\n"
    "Exit: 0, 2 bad usage, 3 a file cannot be read or written, or holds no call.\n";

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3 || argv[1][0] == '-') {
        bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;
        fputs(usage, asked ? stdout : stderr);
        return asked ? 0 : 2;
    }
    return trace_report_write("ekmtrace", argv[1], argc == 3 ? argv[2] : NULL) ? 0 : 3;
}
