/* The way into akv-ekm: reads the command line, which never holds a secret. */
#include "tool/tool_main.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tool/commands.h"

static void main_show_usage(FILE *out)
{
    (void)fputs("usage: akv-ekm COMMAND [OPTION ...]\n\n", out);
    const struct tool_command *command;
    for (size_t i = 0; (command = tool_command_at(i)) != NULL; i++) {
        (void)fprintf(out, "  akv-ekm %s %s\n        %s\n", command->name, command->arguments,
                      command->summary);
    }
    (void)fputs(
        "\n"
        "options:\n"
        "  --identity VAULT    the vault's name or host, as IDENTITY of the credential\n"
        "  --key NAME          the key, or NAME/VERSION\n"
        "  --user ACCOUNT      act as this account of the service (Linux, as root; mssql\n"
        "                      if there is one)\n"
        "  --sign-in FORM      secret, certificate, managed-identity, workload-identity or\n"
        "                      federated-identity\n"
        "  --instance NAME     the named instance of SQL Server (Windows)\n"
        "  --library FILE      the path of the library that the T-SQL names\n"
        "  --dry-run           say what would be done, and do nothing\n"
        "  --json              one JSON object instead of lines\n"
        "\n"
        "The SECRET of the credential is read from standard input, or asked for without\n"
        "echo; it is never an argument. Exit status: 0 done or ready, 1 not, 2 usage.\n",
        out);
}

struct main_option {
    const char *name;
    const char **text; /* or */
    bool *flag;
};

/* True: `word` is an option that the command takes. *used: how many arguments it was. */
static bool main_take_option(const struct main_option *known, size_t count,
                             const struct tool_command *command, const char *word, const char *next,
                             int *used)
{
    char wanted[40];
    const char *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    if (!text_format(wanted, sizeof wanted, "%.*s ", (int)len, word) ||
        strstr(command->options, wanted) == NULL) {
        return false;
    }
    wanted[len] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (strcmp(known[i].name, wanted) != 0) {
            continue;
        }
        if (known[i].flag != NULL) {
            *known[i].flag = true;
            *used = 1;
            return equals == NULL;
        }
        *known[i].text = equals != NULL ? equals + 1 : next;
        *used = equals != NULL ? 1 : 2;
        return *known[i].text != NULL;
    }
    return false;
}

static int main_read_options(int argc, char **argv, const struct tool_command *command,
                             struct tool_options *out)
{
    const struct main_option known[] = {
        {"--identity", &out->identity, NULL}, {"--key", &out->key, NULL},
        {"--user", &out->user, NULL},         {"--sign-in", &out->sign_in, NULL},
        {"--instance", &out->instance, NULL}, {"--library", &out->library, NULL},
        {"--dry-run", NULL, &out->dry_run},   {"--json", NULL, &out->json},
    };
    for (int i = 2; i < argc;) {
        int used = 1;
        if (strncmp(argv[i], "--secret", 8) == 0) {
            /* What follows is not shown: it may be one. */
            return tool_misuse("a secret is no argument, as others can read it there: it is read "
                               "from standard input",
                               "");
        }
        if (argv[i][0] != '-') {
            if (out->word_count == TOOL_WORDS_MAX) {
                return tool_misuse("too many arguments", "");
            }
            out->words[out->word_count++] = argv[i];
        } else if (!main_take_option(known, sizeof known / sizeof known[0], command, argv[i],
                                     i + 1 < argc ? argv[i + 1] : NULL, &used)) {
            return tool_misuse("this command does not take `%s`, or its value is missing", argv[i]);
        }
        i += used;
    }
    return TOOL_OK;
}

int tool_main(int argc, char **argv)
{
    struct tool_options options;
    memset(&options, 0, sizeof options);
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        main_show_usage(stdout);
        return TOOL_OK;
    }
    name = strcmp(name, "--version") == 0 ? "version" : name;
    const struct tool_command *command;
    for (size_t i = 0; (command = tool_command_at(i)) != NULL; i++) {
        if (strcmp(command->name, name) == 0) {
            break;
        }
    }
    if (command == NULL) {
        main_show_usage(stderr);
        return TOOL_USAGE;
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            main_show_usage(stdout);
            return TOOL_OK;
        }
    }
    int status = main_read_options(argc, argv, command, &options);
    return status == TOOL_OK ? command->run(&options) : status;
}

int main(int argc, char **argv)
{
    int status = tool_main(argc, argv);
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? status : TOOL_FAILED;
}
