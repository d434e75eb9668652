#include "tool/commands.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include "net/curl_library.h"
#include "platform/system.h"
#include "tool/trace_report.h"
#include "vault/json.h"

/* lint.tool compares these rows with docs/tool.md, the manual page and the completion. */
static const struct tool_command commands[] = {
    {"doctor", "--identity VAULT --key NAME[/VERSION]",
     "tests everything that SQL Server will need and says what to do",
     "--identity --key --user --json ", tool_doctor},
    {"setup", "[--identity VAULT --key NAME --sign-in FORM]",
     "creates folders, rights and registry key, and prints the T-SQL",
     "--identity --key --sign-in --instance --library --user --dry-run ", tool_setup},
    {"explain", "CODE", "says what a provider error code means and what to do", "", tool_explain},
    {"map", "list | check | import FILE.reg | export | add VAULT NAME/VERSION",
     "shows, checks and extends the map from thumbprints to keys", "--identity --user --dry-run ",
     tool_map},
    {"keys", "--identity VAULT", "lists the keys of a vault", "--identity --user ", tool_keys},
    {"trace", "FILE [REPORT]", "reports what a recording (trace_file) shows about SQL Server", "",
     tool_trace},
    {"version", "", "prints the versions of library, OpenSSL, curl and cJSON", "", tool_version},
};

const struct tool_command *tool_command_at(size_t index)
{
    return index < sizeof commands / sizeof commands[0] ? &commands[index] : NULL;
}

int tool_version(const struct tool_options *options)
{
    char curl[128], os[128];
    (void)options;
    curl_library_versions(curl, sizeof curl);
    plat_os_name(os, sizeof os);
    (void)printf("akv-ekm %s\nopenssl %s\n%s\ncjson %s\nos %s\n", AKVEKM_VERSION,
                 OpenSSL_version(OPENSSL_VERSION_STRING), curl, cJSON_Version(), os);
    const char *inside = curl_library_inside();
    if (inside[0] != '\0') {
        (void)printf("inside %s\n", inside);
    }
    return TOOL_OK;
}

int tool_trace(const struct tool_options *options)
{
    if (options->word_count < 1 || options->word_count > 2) {
        return tool_misuse("trace needs a recording, and may be given a file for its report", "");
    }
    const char *path = options->word_count == 2 ? options->words[1] : NULL;
    return trace_report_write("akv-ekm", options->words[0], path) ? TOOL_OK : TOOL_FAILED;
}
